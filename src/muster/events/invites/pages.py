"""The page that the letter of an invitation into an event leads to. Opening it changes nothing; its buttons answer."""

from zoneinfo import ZoneInfo

from starlette.responses import Response

from muster.events.invites.mailed import EventArrival, EventInvitationSeen
from muster.identity.pages import Field
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import Invalid
from muster.kit.words import Value
from muster.tenancy.pages import FIELDS

_TEMPLATE, _WORDS = "events/invites/invitation.html", "events.page_invitation"


@page("GET /event-invitation")
async def show(visit: Visit) -> Response:
    """Where letters of invitation into events lead."""
    visit, seen = await _read(visit)
    return _form(visit, seen)


@page("POST /event-invitation")
async def answer(visit: Visit) -> Response:
    """Come, or decline."""
    visit, seen = await _read(visit)
    token = visit.field("token")
    if visit.field("answer") == "decline":
        await visit.run("declineMailedEventInvitation", token=token)
        return _show(visit, seen, ("declined",))
    given = {each.name: visit.field(each.name) for each in FIELDS.get(seen.next_step, ())}
    try:
        came: EventArrival = await visit.run("acceptMailedEventInvitation", token=token, **given)
    except Invalid as refusal:
        return _form(visit, seen, wrong=refusal.detail)
    return _show(visit, seen, (came.outcome,))


async def _read(visit: Visit) -> tuple[Visit, EventInvitationSeen]:
    """The invitation that a page is about, and the visit with the look of its community."""
    seen: EventInvitationSeen = await visit.run("readEventInvitation", token=visit.field("token"))
    return await visit.of_tenant(seen.tenant.row_id), seen


def _form(visit: Visit, seen: EventInvitationSeen, *, wrong: str | None = None) -> Response:
    fields, token = FIELDS.get(seen.next_step, ()), visit.field("token")
    status = 200 if wrong is None else Invalid.status
    return _show(visit, seen, ("text", "when", "where"), fields=fields, token=token, wrong=wrong, status=status)


def _show(
    visit: Visit,
    seen: EventInvitationSeen,
    texts: tuple[str, ...],
    *,
    fields: tuple[Field, ...] = (),
    token: str | None = None,
    wrong: str | None = None,
    status: int = 200,
) -> Response:
    values: dict[str, Value] = {
        "title": seen.title,
        "community": visit.brand.name,
        "starts_at": seen.starts_at.astimezone(ZoneInfo(seen.timezone)),
        "place": seen.place or None,
    }
    words = visit.words(_WORDS)
    told = [text for each in texts if (text := words.text(each, values)) is not None]
    return visit.show(
        _TEMPLATE, words=words, status=status, values=values, told=told, fields=fields, token=token, wrong=wrong
    )

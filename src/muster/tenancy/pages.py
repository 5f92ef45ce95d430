"""The page that an invitation leads to. Opening it changes nothing; its buttons accept and decline."""

from collections.abc import Mapping
from types import MappingProxyType

from starlette.responses import Response

from muster.identity.pages import Field
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import Invalid
from muster.tenancy.commands.answering import InvitationSeen, NextStep

_WORDS = "tenancy.page_invitation"
_PASSWORD = Field("password", "password", "new-password")
FIELDS: Mapping[NextStep, tuple[Field, ...]] = MappingProxyType(
    {NextStep.REGISTER: (Field("name", "text", "name"), _PASSWORD), NextStep.SET_PASSWORD: (_PASSWORD,)}
)
"""What who accepts by a letter is asked for."""


@page("GET /invitation")
async def show(visit: Visit) -> Response:
    """Where invitations lead, those by mail and those by link."""
    visit, seen = await _read(visit)
    return _form(visit, seen)


@page("POST /invitation")
async def answer(visit: Visit) -> Response:
    """Come in, or decline."""
    visit, seen = await _read(visit)
    token = visit.field("token")
    if visit.field("answer") == "decline":
        await visit.run("declineInvitation", token=token)
        return _told(visit, "declined")
    given = {each.name: visit.field(each.name) for each in FIELDS.get(seen.next_step, ())}
    try:
        await visit.run("acceptMailedInvitation", token=token, **given)
    except Invalid as refusal:
        return _form(visit, seen, wrong=refusal.detail)
    return _told(visit, "accepted")


async def _read(visit: Visit) -> tuple[Visit, InvitationSeen]:
    """The invitation that a page is about, and the visit with the look of its community."""
    seen: InvitationSeen = await visit.run("readInvitation", token=visit.field("token"))
    return await visit.of_tenant(seen.tenant.row_id), seen


def _form(visit: Visit, seen: InvitationSeen, *, wrong: str | None = None) -> Response:
    # Pages know no cookies: who has a link, and no letter to them, comes in where they are signed in.
    by_link = seen.next_step is NextStep.SIGN_IN
    return visit.show(
        "tenancy/templates/invitation.html",
        status=200 if wrong is None else Invalid.status,
        words=visit.words(_WORDS),
        values={"community": visit.brand.name, "email": seen.email},
        text="by_link" if by_link else "text",
        fields=FIELDS.get(seen.next_step, ()),
        token=None if by_link else visit.field("token"),
        wrong=wrong,
    )


def _told(visit: Visit, text: str) -> Response:
    return visit.show(
        "tenancy/templates/invitation.html",
        words=visit.words(_WORDS),
        values={"community": visit.brand.name, "email": None},
        text=text,
        fields=(),
        token=None,
        wrong=None,
    )

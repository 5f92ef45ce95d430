"""The page of an event, with a button to join it that needs no script."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from muster.events.commands.finding import EventNotFound
from muster.events.joining.form import QuestionKind
from muster.events.pages.answers import answers_of, fields_of
from muster.events.pages.reading import read_event
from muster.events.pages.telling import structured, summary
from muster.events.pages.times import span
from muster.kit.endpoints.pages.html import Policy
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import AppError, Unauthenticated
from muster.kit.qr import qr_code
from muster.kit.text import as_id
from muster.kit.words import Section

_WORDS = "events.page_event"
# A script tells the time on the reader's own clock.
_POLICY: Policy = {"script-src": "'self'"}
_DEEDS: Mapping[str, str] = MappingProxyType(
    {"publish": "publishEvent", "unpublish": "unpublishEvent", "cancel": "cancelEvent"}
)
"""What who runs an event may do on its page, and by which command."""
_INSIDE = ("JOINED", "WAITLIST", "PENDING")
_NOBODY = {"status": None, "role": None, "waitlistPosition": None}


@page("GET /e/{event_id}", personal=True)
async def show(visit: Visit) -> Response:
    """One event, to whoever sees it."""
    return _show(visit, await _read(visit))


@page("POST /e/{event_id}", personal=True)
async def answer(visit: Visit) -> Response:
    """Join, or leave; or what who runs the event does with it."""
    event_id, key = visit.field("event_id"), visit.fields.get("key")
    said = visit.fields.get("answer", "")
    leaves = said == "leave"
    event = await _read(visit)
    try:
        if said in _DEEDS:
            reason = visit.fields.get("reason", "").strip()
            await visit.run(_DEEDS[said], id=event_id, **({"reason": reason} if reason and said == "cancel" else {}))
        elif leaves:
            await visit.run("leaveEvent", eventId=event_id)
        else:
            answers = answers_of(_questions(event), visit.fields)
            given = {**({} if key is None else {"key": key}), **({"answers": answers} if answers else {})}
            await visit.run("joinEvent", eventId=event_id, **given)
    except Unauthenticated:
        return visit.lead(_sign_in(event_id, key))
    except AppError as refusal:
        return _show(visit, event, refusal=refusal)
    return visit.lead(_path(event_id, None if leaves else key))


async def _read(visit: Visit) -> dict[str, Any]:
    """The event that the visitor asks for. Raises EventNotFound, whatever the reason why they see none."""
    event_id: UUID | None = as_id(visit.field("event_id"))
    event = None if event_id is None else await read_event(visit, event_id, visit.fields.get("key") or None)
    if event is None:
        raise EventNotFound
    return event


def _show(visit: Visit, event: dict[str, Any], *, refusal: AppError | None = None) -> Response:
    words, session_id, own = visit.words(_WORDS), visit.origin.claim.session_id, event["own"] or _NOBODY
    key = visit.fields.get("key") or None
    is_public = event["visibility"] == "PUBLIC" and event["status"] == "PUBLISHED"
    address = f"{_home(visit)}{_path(event['id'], key)}"
    answer = visit.show(
        "events/pages/templates/event.html",
        words=words,
        policy=_POLICY,
        status=200 if refusal is None else refusal.status,
        event=event,
        own=own,
        when=span(event["startsAt"], event["endsAt"], event["timezone"], words.language),
        items=[{**each, "when": _when(each, event["timezone"], words.language)} for each in event["agenda"]["items"]],
        deeds=[each for each in _DEEDS if session_id and event["may"] and event["may"]["deeds"][each.upper()] is None],
        is_inside=own["status"] in _INSIDE,
        questions=fields_of(_questions(event)),
        text_kind=QuestionKind.TEXT,
        one_kind=QuestionKind.SINGLE_CHOICE,
        csrf=None if session_id is None else visit.cookies.csrf_token(session_id),
        sign_in=_sign_in(event["id"], key),
        key=key,
        refused=None if refusal is None else _told(words, refusal),
        address=address,
        qr=qr_code(address),
        is_public=is_public,
        summary=summary(event),
        structured=structured(event, address) if is_public else None,
    )
    if not is_public:
        answer.headers["x-robots-tag"] = "noindex"
    return answer


def _told(words: Section, refusal: AppError) -> tuple[str, str]:
    """Why somebody does not get in, and in which language that is said."""
    reason = str(refusal.details.get("reason", refusal.code)).lower()
    said = words.text(f"refused_{reason}")
    return (refusal.detail, "en") if said is None else (said, words.language)


def _questions(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the event asks of who wants in; nothing of who has been invited, who need not answer."""
    return list(event["form"]["questions"]) if event["hasJoinForm"] and event["form"] else []


def _when(item: Mapping[str, Any], zone: str, language: str) -> str | None:
    return None if item["startsAt"] is None else span(item["startsAt"], item["endsAt"], zone, language)


def _path(event_id: str, key: str | None) -> str:
    return f"/e/{event_id}" if key is None else f"/e/{event_id}?{urlencode({'key': key})}"


def _sign_in(event_id: str, key: str | None) -> str:
    return f"/sign-in?{urlencode({'returnTo': _path(event_id, key)})}"


def _home(visit: Visit) -> str:
    """Where the visitor found this page: a community may have an address of its own, which the request came to."""
    home = visit.services.settings.addresses.app
    host = visit.request.headers.get("host", "")
    return home if not host else f"{home.partition('://')[0]}://{host}"

"""Calendars as files: of one event for whoever sees it, and of a feed for whoever has its address."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

from starlette.responses import Response

from muster.events.calendar.addresses import read_token
from muster.events.calendar.reading import Entry, read_feed, read_one
from muster.events.calendar.tables import FeedScope
from muster.events.calendar.writing import written
from muster.kit.endpoints.documents import document_response
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import AppError, NotFound
from muster.kit.limits import READ
from muster.kit.text import as_id

_CALENDAR = "text/calendar; charset=utf-8"


class NoSuchCalendar(NotFound):
    """There is no such calendar, or its address was withdrawn."""

    code = "CALENDAR_NOT_FOUND"


@page("GET /calendar/events/{event_id}.ics", personal=True)
async def show_event(visit: Visit) -> Response:
    """One event, as a file that a calendar program opens."""
    event_id: UUID | None = as_id(visit.field("event_id"))
    await visit.services.limiter.draw((READ,), visit.origin)
    entry = None if event_id is None else await read_one(visit.services, visit.origin, event_id)
    if entry is None:
        raise NoSuchCalendar
    answer = await _answer(visit, [entry], entry.title)
    answer.headers["content-disposition"] = f'attachment; filename="{entry.id}.ics"'
    return answer


@page("GET /calendar/{token}.ics")
async def show_feed(visit: Visit) -> Response:
    """What a feed holds. Whatever is wrong with the address or its person, the answer is the same."""
    await visit.services.limiter.draw((READ,), visit.origin)
    key = read_token(visit.services.settings, visit.field("token"))
    if key is None:
        raise NoSuchCalendar
    try:
        entries = await read_feed(visit.services.database, visit.origin, key)
    except AppError:
        raise NoSuchCalendar from None
    own = await visit.of_tenant(key.tenant_id)
    name = entries[0].title if key.scope == FeedScope.EVENT and entries else own.brand.name
    return await _answer(own, entries, name)


async def _answer(visit: Visit, entries: Sequence[Entry], name: str) -> Response:
    """The calendar, or 304 for who has it already. A calendar program may keep it, and nobody in between."""
    # Some hundred events take a tenth of a second to write.
    content = await asyncio.to_thread(written, entries, name=name, app=visit.services.settings.addresses.app)
    return await document_response(visit.request, content, _CALENDAR, is_personal=True, kept="private, no-cache")

"""The events of a calendar (iCalendar, RFC 5545): each VEVENT is a row. One that is broken ends where the next begins."""

import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO
from zoneinfo import ZoneInfo

from icalendar import Event, vGeo
from icalendar.error import GloballyUniqueTZIDGuessed

from muster.events.importing.rows import TOO_LONG, Line, Row, lines_of, unreadable
from muster.kit.places import is_timezone

_LONGEST_EVENT = 1 << 20
"""Bytes: with pictures inside, which nobody reads."""
_TEXTS = {"UID": "id", "SUMMARY": "name", "DESCRIPTION": "description", "URL": "url"}
_ONCE = (*_TEXTS, "LOCATION", "GEO", "DTSTART", "STATUS")
_MOST_TOPICS = 5


def read_calendar(file: BinaryIO) -> Iterator[Row]:
    """The events of a calendar, or of several behind each other; whatever stands between them is passed over."""
    zone: str | None = None
    block: list[Line] = []
    for line in lines_of(file):
        word = (line.text or b"").strip().upper()
        if block and word in {b"BEGIN:VEVENT", b"BEGIN:VCALENDAR", b"END:VCALENDAR"}:
            yield unreadable(block, "is not ended before the next one begins")
            block = []
        if block or word == b"BEGIN:VEVENT":
            block.append(line)
        elif word.startswith(b"X-WR-TIMEZONE:"):
            zone = (line.text or b"").decode(errors="replace").partition(":")[2].strip()
        if block and word == b"END:VEVENT":
            yield _row(block, zone)
            block = []
    if block:
        yield unreadable(block, "is not ended")


def _row(block: list[Line], zone: str | None) -> Row:
    if any(each.text is None for each in block) or block[-1].end - block[0].start > _LONGEST_EVENT:
        return unreadable(block, TOO_LONG)
    try:
        event = _event(b"".join(each.text or b"" for each in block))
        if event.errors:
            return unreadable(block, f"is not an event of a calendar: {event.errors[0][1]}")
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            return unreadable(block, "is cancelled; cancel it here too if it came in before")
        fields = {**_texts(event), **_place(event), **_times(event, zone)}
    except (ValueError, OverflowError, AttributeError, KeyError) as error:
        return unreadable(block, f"is not an event of a calendar: {error}")
    return Row(block[0].number, block[0].start, block[-1].end, fields)


def _event(text: bytes) -> Event:
    """Raises ValueError for what is none."""
    with warnings.catch_warnings():
        # A name such as /example.org/20250101/Europe/Warsaw, whose end says it.
        warnings.simplefilter("ignore", GloballyUniqueTZIDGuessed)
        found = Event.from_ical(text)
    if not isinstance(found, Event):
        raise ValueError(f"it is a {found.name}")  # noqa: TRY004 - whoever reads files expects it
    return found


def _texts(event: Event) -> dict[str, object]:
    """What it is called and what is said of it. Raises ValueError for what may stand there once and stands twice."""
    twice = [name for name in _ONCE if isinstance(event.get(name), list)]
    if twice:
        raise ValueError(f"{twice[0]} stands in it twice")
    found: dict[str, object] = {ours: str(event[theirs]) for theirs, ours in _TEXTS.items() if event.get(theirs)}
    if "id" in found and "RECURRENCE-ID" in event:
        found["id"] = f"{found['id']} {event['RECURRENCE-ID'].to_ical()!r}"
    if "RRULE" in event:
        found["rrule"] = "given"
    if topics := [str(each).strip() for each in event.categories]:
        found["topics"] = list(dict.fromkeys(topics))[:_MOST_TOPICS]
    return found


def _place(event: Event) -> dict[str, object]:
    """Where it is. A place that is an address on the web is online."""
    place = str(event.get("LOCATION", "")).strip()
    found: dict[str, object] = {}
    if place.startswith(("http://", "https://")):
        found = {"online": True, "url": place}
    elif place:
        found["address"] = place
    if isinstance(point := event.get("GEO"), vGeo):
        found |= {"latitude": point.latitude, "longitude": point.longitude}
    return found


def _times(event: Event, zone: str | None) -> dict[str, object]:
    """Its days, and the times on the clock of its zone. zone: of the whole calendar, where it has one."""
    start, end = event.start, event.end
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        # A calendar names the day after the last one.
        last = max(start, end - timedelta(days=1))
        days: dict[str, object] = {"start_date": start.isoformat(), "end_date": last.isoformat()}
        return days if zone is None else {**days, "timezone": zone}
    named = _zone_of(event, start, zone)
    if start.tzinfo is not None and named is not None and is_timezone(named):
        start, end = (each.astimezone(ZoneInfo(named)) for each in (start, end))
    found: dict[str, object] = {"start_date": start.date().isoformat(), "start_time": f"{start:%H:%M:%S}"}
    if end > start:
        found |= {"end_date": end.date().isoformat(), "end_time": f"{end:%H:%M:%S}"}
    return found if named is None else {**found, "timezone": named}


def _zone_of(event: Event, start: datetime, zone: str | None) -> str | None:
    """The zone that it names, by the name that the IANA has for it; else that of the calendar."""
    named = event["DTSTART"].params.get("TZID")
    if start.tzinfo in {UTC, ZoneInfo("UTC")}:
        return zone or "UTC"
    if isinstance(start.tzinfo, ZoneInfo):
        return start.tzinfo.key
    return str(named) if named else zone

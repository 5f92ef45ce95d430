"""Writing calendars as RFC 5545 has them.

Every event is a VEVENT of its own, the occurrences of a series too: each has its own life here, so each has its own UID,
and no program has to work out a rule as we do.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from icalendar import Calendar, Event, Timezone, vText

from muster.events.calendar.reading import Entry
from muster.events.calendar.zones import ALWAYS_UTC, local, zone_component
from muster.events.tables import EventStatus

_FRESH_FOR = timedelta(hours=1)
"""How often programs should ask; most ask less often."""
# What ends a line anywhere (RFC 5545, 3.1, and what Unicode and programs take for an end), and what has no business in text.
_BREAKS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x1f\x7f]")


def written(entries: Sequence[Entry], *, name: str, app: str) -> bytes:
    """A calendar with these events. name: what people see it called. app: where events have their pages."""
    calendar = Calendar()
    calendar.add("prodid", "-//Muster//Events//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    # The second names are older than RFC 7986, and what most programs read.
    for key in ("name", "x-wr-calname"):
        calendar.add(key, vText(line(name)))
    calendar.add("refresh-interval", _FRESH_FOR, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for zone in _zones(entries):
        calendar.add_component(zone)
    for entry in entries:
        calendar.add_component(_event(entry, app))
    content: bytes = calendar.to_ical()
    return content


def plain(text: str) -> str:
    """Text that a line of a calendar can hold once it is escaped: every break is one the escape knows."""
    return _CONTROLS.sub("", _BREAKS.sub("\n", text))


def line(text: str) -> str:
    """The same for what is one line wherever it is shown."""
    return " ".join(plain(text).split())


def _event(entry: Entry, app: str) -> Event:
    event = Event()
    place = ", ".join(line(each) for each in (entry.address, entry.city, entry.country) if each)
    about = "\n\n".join(plain(each) for each in (entry.description, entry.online_url) if each)
    event.add("uid", str(entry.id))
    event.add("dtstamp", entry.updated_at)
    event.add("created", entry.created_at)
    event.add("last-modified", entry.updated_at)
    event.add("sequence", entry.version - 1)
    event.add("dtstart", local(entry.starts_at, entry.timezone))
    event.add("dtend", local(entry.ends_at, entry.timezone))
    event.add("summary", line(entry.title))
    event.add("status", "CANCELLED" if entry.status == EventStatus.CANCELLED else "CONFIRMED")
    event.add("url", f"{app}/events/{entry.id}")
    if about:
        event.add("description", about)
    if where := place or entry.online_url:
        event.add("location", where)
    if entry.latitude is not None and entry.longitude is not None:
        event.add("geo", (entry.latitude, entry.longitude))
    return event


def _zones(entries: Iterable[Entry]) -> list[Timezone]:
    """What the clocks of these events do."""
    spans: dict[str, tuple[int, int]] = {}
    for entry in entries:
        first, last = spans.get(entry.timezone, (entry.starts_at.year, entry.ends_at.year))
        spans[entry.timezone] = (min(first, entry.starts_at.year), max(last, entry.ends_at.year))
    return [zone_component(name, *span) for name, span in sorted(spans.items()) if name not in ALWAYS_UTC]

"""What clocks do, as a VTIMEZONE (RFC 5545, 3.6.5): each change that lies in a span of years, told once.

Not by `Timezone.from_tzid` of icalendar (7.3): where clocks go forward it puts the change an hour late.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard

ALWAYS_UTC = frozenset({"UTC", "Etc/UTC"})
"""Zones that the format has a form for, so that they need no telling."""
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


@lru_cache(maxsize=256)
def zone_component(name: str, first: int, last: int) -> Timezone:
    """The clocks of a zone. first, last: the years that it has to hold for."""
    zone = ZoneInfo(name)
    begin = datetime(max(first, 2), 1, 1, tzinfo=UTC) - 2 * _DAY
    end = datetime(min(last + 1, 9999), 1, 1, tzinfo=UTC) + 2 * _DAY
    component = Timezone()
    component.add("tzid", name)
    component.add_component(_observance(zone, begin, begin))
    for change in _changes(zone, begin, end):
        component.add_component(_observance(zone, change - _SECOND, change))
    return component


def local(moment: datetime, name: str) -> datetime:
    """A moment on the clock of a zone; in UTC when that clock shows the same time twice, since programs then take either
    of the two.
    """
    there = moment.astimezone(ZoneInfo(name))
    is_ambiguous = there.replace(fold=0).utcoffset() != there.replace(fold=1).utcoffset()
    return moment.astimezone(UTC) if name in ALWAYS_UTC or is_ambiguous else there


def _changes(zone: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The moments at which clocks jump: looked for day by day, and within the day by halves."""
    known, offset = begin, _offset(zone, begin)
    while known < end:
        following = known + _DAY
        if _offset(zone, following) != offset:
            before, after = known, following
            while after - before > _SECOND:
                middle = before + (after - before) // (2 * _SECOND) * _SECOND
                before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
            yield after
            offset = _offset(zone, following)
        known = following


def _observance(zone: ZoneInfo, before: datetime, moment: datetime) -> TimezoneDaylight | TimezoneStandard:
    """What holds from a moment on. before: a moment just before, when it was otherwise."""
    there = moment.astimezone(zone)
    was = _offset(zone, before)
    component = TimezoneDaylight() if there.dst() else TimezoneStandard()
    # It begins at the time that the clock showed before the change, without a zone.
    component.add("dtstart", (moment + was).replace(tzinfo=None))
    component.add("tzoffsetfrom", was)
    component.add("tzoffsetto", _offset(zone, moment))
    component.add("tzname", there.tzname() or str(zone))
    return component


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    offset = moment.astimezone(zone).utcoffset()
    if offset is None:
        raise ValueError(f"{zone} has no offset")
    return offset

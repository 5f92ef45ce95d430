"""When an event comes again: rules of RFC 5545 on the clock of the event's own zone. Pure decisions, no SQL, no clock.

An evening at 19:00 stays at 19:00 when clocks change. A time that a clock skips is taken as if it had not changed yet, so
02:30 becomes 03:30; of a time that comes twice the first is meant (RFC 5545, 3.3.5). A day that a month lacks is left out.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import groupby, islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

AHEAD = timedelta(days=180)
"""How far ahead occurrences are made."""
MOST = 26
"""Occurrences that lie ahead at once."""
MOST_COUNTED = 500
"""The largest COUNT of a rule."""
_PARTS = frozenset(
    {
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "WKST",
        "BYDAY",
        "BYMONTH",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYSETPOS",
    }
)
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_SHAPE = re.compile(r"[A-Z]+=[A-Z0-9,+-]+(;[A-Z]+=[A-Z0-9,+-]+)*")
_UNTIL = re.compile(r"\d{8}(T\d{6}Z)?")


class NoRule(ValueError):
    """It is no rule that we follow; says what is wrong with it."""


@dataclass(frozen=True)
class Recurrence:
    """When a series takes place.

    rule: as RFC 5545 writes an RRULE, without that word. starts_at: the first occurrence. timezone: on whose clock it
    comes again. excluded: occurrences that do not take place. added: moments beside the rule, at which it does.
    """

    rule: str
    starts_at: datetime
    timezone: str
    excluded: Collection[datetime] = ()
    added: Collection[datetime] = ()


def check(recurrence: Recurrence) -> None:
    """Raises NoRule for a rule that is none, that we do not follow, or that does not begin with the start."""
    parts = _parts(recurrence.rule)
    if parts.get("FREQ") not in _FREQUENCIES:
        raise NoRule(f"FREQ must be one of {', '.join(_FREQUENCIES)}")
    if unknown := parts.keys() - _PARTS:
        raise NoRule(f"{min(unknown)} is no part of a rule that we follow")
    if "COUNT" in parts and "UNTIL" in parts:
        raise NoRule("COUNT and UNTIL exclude each other")
    if not 1 <= int(parts.get("COUNT", "1")) <= MOST_COUNTED:
        raise NoRule(f"COUNT must be from 1 to {MOST_COUNTED}")
    _until(parts, ZoneInfo(recurrence.timezone))
    bare = Recurrence(recurrence.rule, recurrence.starts_at, recurrence.timezone)
    if next(occurrences(bare, recurrence.starts_at), None) != recurrence.starts_at:
        raise NoRule("the start must be the first occurrence of the rule")


def occurrences(recurrence: Recurrence, until: datetime) -> Iterator[datetime]:
    """The occurrences up to a moment, in their order, in UTC. Raises NoRule for a rule that is none."""
    added = sorted(each.astimezone(UTC) for each in recurrence.added if each <= until)
    both = merge(_by_rule(recurrence, until), added)
    yield from (each for each, _ in groupby(both) if each not in recurrence.excluded)


def begins_at(recurrence: Recurrence, moment: datetime, first: datetime) -> datetime:
    """When an occurrence begins that is due at a moment: at the time of day of `first`, where that differs from the rule's.

    What was added beside the rule has a time of its own.
    """
    zone = ZoneInfo(recurrence.timezone)
    clock = first.astimezone(zone).time()
    if moment in recurrence.added or clock == recurrence.starts_at.astimezone(zone).time():
        return moment
    return datetime.combine(moment.astimezone(zone).date(), clock, zone).astimezone(UTC)


def _by_rule(recurrence: Recurrence, until: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(recurrence.timezone)
    parts = _parts(recurrence.rule)
    first = recurrence.starts_at.astimezone(zone).replace(tzinfo=None)
    last = until.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)
    # Without an end, a rule that never applies, such as 30 February, would be looked for until the year 9999. COUNT is
    # counted here, since the library takes it or an end.
    rule = ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("COUNT", "UNTIL"))
    try:
        times = rrulestr(f"{rule};UNTIL={last:%Y%m%dT%H%M%S}", dtstart=first)
        moments = (each.replace(tzinfo=zone).astimezone(UTC) for each in times)
        counted = islice(moments, int(parts["COUNT"])) if "COUNT" in parts else moments
        end = min(until, _until(parts, zone) or until)
        yield from (each for each in counted if each <= end)
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        raise NoRule(str(error)) from None


def due(recurrence: Recurrence, now: datetime, *, ends_before: datetime | None) -> list[datetime]:
    """The occurrences that are to be there now: the next ones, as many as lie ahead at once.

    ends_before: from when on there are no more; None is never.
    """
    coming = (
        each
        for each in occurrences(recurrence, now + AHEAD)
        if each > now and (ends_before is None or each < ends_before)
    )
    return list(islice(coming, MOST))


def _parts(rule: str) -> dict[str, str]:
    if not _SHAPE.fullmatch(rule):
        raise NoRule("it must be written like FREQ=WEEKLY;BYDAY=MO")
    pairs = [each.split("=") for each in rule.split(";")]
    parts = dict(pairs)
    if len(parts) < len(pairs):
        raise NoRule("no part may come twice")
    if not parts.get("COUNT", "1").isdecimal() or not parts.get("INTERVAL", "1").isdecimal():
        raise NoRule("COUNT and INTERVAL are numbers")
    if not 1 <= int(parts.get("INTERVAL", "1")) <= MOST_COUNTED:
        raise NoRule(f"INTERVAL must be from 1 to {MOST_COUNTED}")
    return parts


def _until(parts: dict[str, str], zone: ZoneInfo) -> datetime | None:
    """The last moment of a rule; a day without a time is meant whole, on the clock of the zone."""
    text = parts.get("UNTIL")
    if text is None:
        return None
    if not _UNTIL.fullmatch(text):
        raise NoRule("UNTIL is a day such as 20311231, or a moment such as 20311231T230000Z")
    try:
        if text.endswith("Z"):
            return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        day = datetime.strptime(text, "%Y%m%d").replace(tzinfo=zone)
    except ValueError:
        raise NoRule("UNTIL is no day that there is") from None
    return (day + timedelta(days=1)).astimezone(UTC) - timedelta(seconds=1)

"""Rules: clocks that change, months that lack a day, what is refused; and a second library works out the same."""

import random
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

import pytest
from ical.event import Event
from ical.types.recur import Recur

from muster.events.series.rules import MOST, MOST_COUNTED, NoRule, Recurrence, check, due, occurrences

WARSAW, SYDNEY, UTC_ZONE = "Europe/Warsaw", "Australia/Sydney", "UTC"


def _series(rule: str, starts: str, zone: str, *excluded: str) -> Recurrence:
    """A recurrence from times on the clock of its zone."""
    first, *rest = (
        datetime.fromisoformat(each).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for each in (starts, *excluded)
    )
    return Recurrence(rule, first, zone, frozenset(rest))


def _local(recurrence: Recurrence, number: int) -> list[str]:
    """The first occurrences on the clock of the zone."""
    zone = ZoneInfo(recurrence.timezone)
    found = occurrences(recurrence, recurrence.starts_at + timedelta(days=3000))
    return [f"{each.astimezone(zone):%Y-%m-%d %H:%M %z}" for each, _ in zip(found, range(number), strict=False)]


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        (
            _series("FREQ=WEEKLY", "2031-03-23T19:00", WARSAW),
            ["2031-03-23 19:00 +0100", "2031-03-30 19:00 +0200"],
        ),
        (
            _series("FREQ=WEEKLY", "2031-03-30T19:00", SYDNEY),
            ["2031-03-30 19:00 +1100", "2031-04-06 19:00 +1000"],
        ),
        # The clock skips 02:30 on the second day; it is taken as if it had not changed yet.
        (
            _series("FREQ=DAILY", "2031-03-29T02:30", WARSAW),
            ["2031-03-29 02:30 +0100", "2031-03-30 03:30 +0200", "2031-03-31 02:30 +0200"],
        ),
        # It shows 02:30 twice; the first is meant.
        (
            _series("FREQ=DAILY", "2031-10-25T02:30", WARSAW),
            ["2031-10-25 02:30 +0200", "2031-10-26 02:30 +0200", "2031-10-27 02:30 +0100"],
        ),
        (
            _series("FREQ=MONTHLY", "2031-01-31T10:00", UTC_ZONE),
            ["2031-01-31 10:00 +0000", "2031-03-31 10:00 +0000", "2031-05-31 10:00 +0000"],
        ),
        (
            _series("FREQ=MONTHLY;BYMONTHDAY=-1", "2031-01-31T10:00", UTC_ZONE),
            ["2031-01-31 10:00 +0000", "2031-02-28 10:00 +0000"],
        ),
        (
            _series("FREQ=YEARLY", "2028-02-29T10:00", UTC_ZONE),
            ["2028-02-29 10:00 +0000", "2032-02-29 10:00 +0000"],
        ),
        # What is excluded counts (RFC 5545, 3.8.5.1).
        (
            _series("FREQ=DAILY;COUNT=3", "2031-01-01T10:00", UTC_ZONE, "2031-01-02T10:00"),
            ["2031-01-01 10:00 +0000", "2031-01-03 10:00 +0000"],
        ),
        (
            _series("FREQ=DAILY;UNTIL=20310102", "2031-01-01T23:30", WARSAW),
            ["2031-01-01 23:30 +0100", "2031-01-02 23:30 +0100"],
        ),
    ],
)
def test_a_rule_follows_the_clock_of_its_zone(recurrence: Recurrence, expected: list[str]) -> None:
    check(recurrence)
    found = _local(recurrence, len(expected) + 1)
    assert found[: len(expected)] == expected


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "WEEKLY",
        "FREQ=WEEKLY;",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=1,2",
        "FREQ=DAILY;COUNT=0",
        f"FREQ=DAILY;COUNT={MOST_COUNTED + 1}",
        "FREQ=DAILY;COUNT=2;UNTIL=20320101",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;UNTIL=20311399",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=TH",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=99999999999999999999",
        "FREQ=DAILY\r\nRDATE:20310101",
    ],
)
def test_what_is_no_rule_of_ours_is_refused(rule: str) -> None:
    with pytest.raises(NoRule):
        check(_series(rule, "2031-01-01T10:00", UTC_ZONE))


def test_only_what_lies_near_ahead_is_due() -> None:
    daily = _series("FREQ=DAILY", "2031-01-01T10:00", UTC_ZONE)
    now = datetime(2033, 5, 1, 12, tzinfo=UTC)
    found = due(daily, now, ends_before=None)
    assert (len(found), found[0]) == (MOST, datetime(2033, 5, 2, 10, tzinfo=UTC))
    assert due(daily, now, ends_before=found[3]) == found[:3]
    yearly = _series("FREQ=YEARLY", "2031-01-01T10:00", UTC_ZONE)
    assert due(yearly, now, ends_before=None) == []


def random_recurrences(chance: random.Random) -> Iterator[Recurrence]:
    """Rules that begin with their start, in zones of both hemispheres; some occurrences are called off, some moved."""
    while True:
        zone = chance.choice((WARSAW, SYDNEY, "America/New_York", "Asia/Kolkata", "America/Santiago"))
        clock = _clock(chance)
        local = datetime.combine(_day(chance), clock)
        day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[local.weekday()]
        left = monthrange(local.year, local.month)[1] - local.day + 1
        rule = chance.choice(
            (
                f"FREQ=DAILY;INTERVAL={chance.randrange(1, 9)}",
                f"FREQ=WEEKLY;INTERVAL={chance.randrange(1, 4)};BYDAY={day}",
                f"FREQ=MONTHLY;BYMONTHDAY={local.day}",
                f"FREQ=MONTHLY;BYMONTHDAY=-{left}",
                f"FREQ=MONTHLY;BYDAY={(local.day - 1) // 7 + 1}{day}",
                f"FREQ=YEARLY;BYMONTH={local.month};BYMONTHDAY={local.day}",
            )
        )
        rule += chance.choice(("", f";COUNT={chance.randrange(1, 40)}"))
        yield _disturbed(Recurrence(rule, local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC), zone), chance)


def _day(chance: random.Random) -> date:
    """Any day of three years, more often one that is not in all years or months."""
    any_day = date(2031, 1, 1) + timedelta(days=chance.randrange(3 * 365))
    return chance.choice((any_day, any_day, date(2032, 2, 29), date(2031, 1, 31), date(2031, 8, 31), date(2031, 2, 28)))


def _clock(chance: random.Random) -> time:
    """A time that is neither skipped nor shown twice in any of the zones: there libraries differ, and we have chosen above."""
    return time(chance.randrange(4, 23), chance.choice((0, 30)))


def _disturbed(series: Recurrence, chance: random.Random) -> Recurrence:
    """The series with one occurrence called off and another moved, where it has so many and chance will."""
    first = list(islice(occurrences(series, series.starts_at + timedelta(days=700)), 8))[1:]
    if len(first) < 2 or chance.random() < 0.4:
        return series
    off, moved = chance.sample(first, 2)
    zone = ZoneInfo(series.timezone)
    day = moved.astimezone(zone).date() + timedelta(days=chance.randrange(-1, 3))
    # Never to where another is: not all libraries know then that it is one.
    clock = _clock(chance).replace(minute=chance.choice((15, 45)))
    to = datetime.combine(day, clock, zone).astimezone(UTC)
    return replace(series, excluded=frozenset((off, moved)), added=(to,) if to > series.starts_at else ())


def test_another_library_works_out_the_same() -> None:
    generated = random_recurrences(random.Random(5545))
    for _ in range(500):
        recurrence = next(generated)
        check(recurrence)
        until = recurrence.starts_at + timedelta(days=800)
        zone = ZoneInfo(recurrence.timezone)
        start, *off = (each.astimezone(zone) for each in (recurrence.starts_at, *recurrence.excluded))
        theirs = Event(
            summary="theirs",
            start=start,
            end=start + timedelta(hours=1),
            rrule=Recur.from_rrule(recurrence.rule),
            exdate=off,
            rdate=[each.astimezone(zone) for each in recurrence.added],
        )
        line = theirs.as_rrule()
        assert line is not None
        moments = (each.astimezone(UTC) for each in line if isinstance(each, datetime))
        expected = list(takewhile(until.__ge__, moments))
        assert list(occurrences(recurrence, until)) == expected, recurrence

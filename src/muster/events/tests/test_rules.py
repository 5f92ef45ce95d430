"""The decisions of events, as tables of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from muster.events.rules import (
    Draft,
    Places,
    Terms,
    Verdict,
    capacity,
    decide_join,
    draft_problems,
    is_organiser,
)
from muster.events.tables import EventMemberRole, EventMemberStatus, EventStatus, JoinMode, MeetingKind, Mode

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
OPEN = Terms(EventStatus.PUBLISHED, NOW + timedelta(hours=1), JoinMode.OPEN)
DRAFT = replace(OPEN, status=EventStatus.DRAFT)
OVER = replace(OPEN, ends_at=NOW)
INVITE_ONLY = replace(OPEN, join_mode=JoinMode.INVITE_ONLY)

FREE = Places(taken=1, waiting=0, max=2)
FULL = Places(taken=2, waiting=0, max=2)
FREE_WITH_QUEUE = Places(taken=1, waiting=1, max=2)
FULL_WITH_QUEUE = Places(taken=2, waiting=3, max=2)
UNLIMITED = Places(taken=90_000, waiting=0, max=None)

NOBODY, LEFT = None, EventMemberStatus.LEFT
NEW = (NOBODY, LEFT)
INSIDE = (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST)
EVERY_TERM = (OPEN, DRAFT, OVER, INVITE_ONLY)
EVERY_PLACE = (FREE, FULL, FREE_WITH_QUEUE, FULL_WITH_QUEUE, UNLIMITED)

JOINS = [
    *((OPEN, FREE, standing, Verdict.SEATED) for standing in NEW),
    *((OPEN, UNLIMITED, standing, Verdict.SEATED) for standing in NEW),
    *((OPEN, places, standing, Verdict.WAITING) for places in (FULL, FULL_WITH_QUEUE) for standing in NEW),
    # A place is free, but somebody waits for it: a newcomer never overtakes.
    *((OPEN, FREE_WITH_QUEUE, standing, Verdict.WAITING) for standing in NEW),
    # Who is in stays as they are, whatever became of the event.
    *((*case, Verdict.UNCHANGED) for case in product(EVERY_TERM, EVERY_PLACE, INSIDE)),
    *((*case, Verdict.CLOSED) for case in product((DRAFT, OVER), EVERY_PLACE, (*NEW, EventMemberStatus.KICKED))),
    # Who was removed is told so, even where nobody gets in without an invitation.
    *((*case, Verdict.KICKED) for case in product((OPEN, INVITE_ONLY), EVERY_PLACE, (EventMemberStatus.KICKED,))),
    *((*case, Verdict.NOT_INVITED) for case in product((INVITE_ONLY,), EVERY_PLACE, NEW)),
]


@pytest.mark.parametrize(("terms", "places", "standing", "verdict"), JOINS)
def test_what_becomes_of_who_wants_in(
    terms: Terms, places: Places, standing: EventMemberStatus | None, verdict: Verdict
) -> None:
    assert decide_join(terms, places, standing, NOW) == verdict


def test_the_cases_of_joining_are_complete() -> None:
    everything = set(product(EVERY_TERM, EVERY_PLACE, (NOBODY, *EventMemberStatus)))
    assert {case[:3] for case in JOINS} == everything


def test_an_event_is_open_to_the_last_moment_before_its_end() -> None:
    last = replace(OPEN, ends_at=NOW + timedelta(microseconds=1))
    assert decide_join(last, FREE, None, NOW) == Verdict.SEATED


@pytest.mark.parametrize(("role", "status"), list(product((None, *EventMemberRole), (None, *EventMemberStatus))))
def test_only_a_seated_owner_or_moderator_runs_an_event(
    role: EventMemberRole | None, status: EventMemberStatus | None
) -> None:
    runs = role in (EventMemberRole.OWNER, EventMemberRole.MODERATOR) and status == EventMemberStatus.JOINED
    assert is_organiser(role, status) == runs


FINE = Draft(
    starts_at=NOW,
    ends_at=NOW + timedelta(hours=2),
    timezone="Europe/Warsaw",
    meeting_kind=MeetingKind.HYBRID,
    online_url="https://meet.example",
    latitude=52.2,
    longitude=21.0,
    mode=Mode.CUSTOM,
    min=None,
    max=None,
)

PROBLEMS: list[tuple[dict[str, object], list[str]]] = [
    ({}, []),
    ({"ends_at": NOW}, ["endsAt"]),
    ({"ends_at": NOW - timedelta(seconds=1)}, ["endsAt"]),
    ({"ends_at": NOW + timedelta(days=30)}, []),
    ({"ends_at": NOW + timedelta(days=30, seconds=1)}, ["endsAt"]),
    ({"timezone": "Mars/Olympus"}, ["timezone"]),
    ({"longitude": None}, ["latitude"]),
    ({"latitude": None}, ["latitude"]),
    ({"latitude": None, "longitude": None}, []),
    ({"latitude": 0.0, "longitude": 0.0, "online_url": None}, []),
    ({"online_url": None}, []),
    ({"online_url": None, "latitude": None, "longitude": None}, ["onlineUrl"]),
    ({"meeting_kind": MeetingKind.ONSITE, "online_url": None}, []),
    ({"meeting_kind": MeetingKind.ONSITE, "latitude": None, "longitude": None}, ["latitude"]),
    ({"meeting_kind": MeetingKind.ONLINE, "latitude": None, "longitude": None}, []),
    ({"meeting_kind": MeetingKind.ONLINE, "online_url": None}, ["onlineUrl"]),
    ({"mode": Mode.ONE_TO_ONE}, []),
    ({"mode": Mode.ONE_TO_ONE, "min": 1}, ["min"]),
    ({"mode": Mode.ONE_TO_ONE, "max": 3}, ["max"]),
    ({"mode": Mode.GROUP, "max": 50}, []),
    ({"mode": Mode.GROUP, "max": 51}, ["max"]),
    ({"mode": Mode.CUSTOM, "max": 99_999}, []),
    ({"min": 5, "max": 4}, ["max"]),
    ({"min": 5, "max": 5}, []),
    ({"ends_at": NOW, "timezone": "", "min": 9, "max": 8}, ["endsAt", "timezone", "max"]),
]


@pytest.mark.parametrize(("changes", "fields"), PROBLEMS)
def test_what_is_wrong_with_a_draft(changes: dict[str, object], fields: list[str]) -> None:
    found = draft_problems(replace(FINE, **changes))  # type: ignore[arg-type]  # each case names fields of its own
    assert [problem.field for problem in found] == fields
    assert all(problem.message for problem in found)


@pytest.mark.parametrize(
    ("mode", "least", "most", "expected"),
    [
        (Mode.ONE_TO_ONE, None, None, (2, 2)),
        (Mode.GROUP, None, None, (1, 50)),
        (Mode.GROUP, 3, 9, (3, 9)),
        (Mode.CUSTOM, None, None, (1, None)),
        (Mode.CUSTOM, 10, 500, (10, 500)),
    ],
)
def test_a_mode_gives_the_sizes_that_are_not_given(
    mode: Mode, least: int | None, most: int | None, expected: tuple[int, int | None]
) -> None:
    assert capacity(replace(FINE, mode=mode, min=least, max=most)) == expected

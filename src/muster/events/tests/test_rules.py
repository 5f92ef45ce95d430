"""The decisions of events, as tables of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from muster.events.rules import (
    COOLING,
    LIFE,
    Deed,
    Deletion,
    Draft,
    Phase,
    Ruling,
    capacity,
    decide_deletion,
    draft_problems,
    is_organiser,
    move_problems,
    phase,
)
from muster.events.tables import EventMemberRole, EventMemberStatus, EventStatus, MeetingKind, Mode

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ends_at", "expected"),
    [
        (EventStatus.DRAFT, NOW, Phase.DRAFT),
        (EventStatus.DRAFT, NOW + timedelta(days=1), Phase.DRAFT),
        (EventStatus.PUBLISHED, NOW + timedelta(microseconds=1), Phase.PUBLISHED),
        (EventStatus.PUBLISHED, NOW, Phase.OVER),
        (EventStatus.CANCELLED, NOW, Phase.CANCELLED),
        (EventStatus.CANCELLED, NOW + timedelta(days=1), Phase.CANCELLED),
    ],
)
def test_an_event_is_over_from_the_moment_it_ends(status: EventStatus, ends_at: datetime, expected: Phase) -> None:
    assert phase(status, ends_at, NOW) == expected


RULINGS = """
               DRAFT          PUBLISHED  OVER       CANCELLED
UPDATE         DO             DO         DO         CANCELLED
PUBLISH        DO             PUBLISHED  PUBLISHED  CANCELLED
UNPUBLISH      DONE           DO         OVER       CANCELLED
CANCEL         NOT_PUBLISHED  DO         OVER       DONE
LEAVE          DO             DO         DO         CANCELLED
KICK           DO             DO         DO         CANCELLED
CHANGE_ROLE    DO             DO         DO         CANCELLED
"""


def test_the_life_of_an_event() -> None:
    head, *lines = (line.split() for line in RULINGS.strip().splitlines())
    rows = [(Deed(deed), dict(zip(map(Phase, head), map(Ruling, rulings), strict=True))) for deed, *rulings in lines]
    assert dict(rows) == LIFE
    assert {*LIFE} == {*Deed}


LONG_AGO, JUST_NOW = NOW - COOLING, NOW - COOLING + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("where", "cancelled_at", "had_members", "expected"),
    [
        *((each, None, False, Deletion.DO) for each in (Phase.DRAFT, Phase.PUBLISHED, Phase.OVER)),
        (Phase.CANCELLED, JUST_NOW, False, Deletion.DO),
        (Phase.DRAFT, None, True, Deletion.DO),
        (Phase.PUBLISHED, None, True, Deletion.CANCEL_FIRST),
        (Phase.OVER, None, True, Deletion.OVER),
        (Phase.CANCELLED, JUST_NOW, True, Deletion.WAIT),
        (Phase.CANCELLED, LONG_AGO, True, Deletion.DO),
    ],
)
def test_what_may_be_deleted(
    where: Phase, cancelled_at: datetime | None, *, had_members: bool, expected: Deletion
) -> None:
    assert decide_deletion(where, cancelled_at, had_members=had_members, now=NOW) == expected


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


SOON = NOW + timedelta(minutes=5)


@pytest.mark.parametrize("where", Phase)
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, []),
        ({"timezone": "Asia/Seoul"}, []),
        ({"starts_at": SOON}, []),
        ({"starts_at": SOON - timedelta(microseconds=1)}, ["startsAt"]),
        ({"ends_at": NOW + timedelta(microseconds=1)}, []),
        ({"ends_at": NOW - timedelta(hours=1)}, ["endsAt"]),
        ({"starts_at": NOW - timedelta(days=2), "ends_at": NOW - timedelta(days=1)}, ["startsAt", "endsAt"]),
    ],
)
def test_an_event_that_people_rely_on_moves_ahead_only(
    where: Phase, changes: dict[str, object], fields: list[str]
) -> None:
    found = move_problems(where, FINE, replace(FINE, **changes), NOW)  # type: ignore[arg-type]  # as above
    assert [problem.field for problem in found] == ([] if where == Phase.DRAFT else fields)


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

"""The decisions of events, as tables of cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from muster.events import rules
from muster.events.rules import (
    COOLING,
    LIFE,
    MAY,
    Deed,
    Deletion,
    Draft,
    MemberDeed,
    Phase,
    Ruling,
    Who,
    acts_as,
    capacity,
    decide_deletion,
    draft_problems,
    is_organiser,
    may,
    move_problems,
    phase,
    publication_problems,
    restored_status,
)
from muster.events.tables import EventMemberRole, EventMemberStatus, EventStatus, MeetingKind, Mode

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "ends_at", "expected"),
    [
        (EventStatus.DRAFT, NOW, Phase.DRAFT),
        (EventStatus.DRAFT, NOW + timedelta(days=1), Phase.DRAFT),
        (EventStatus.SCHEDULED, NOW + timedelta(days=1), Phase.SCHEDULED),
        (EventStatus.PUBLISHED, NOW + timedelta(microseconds=1), Phase.PUBLISHED),
        (EventStatus.PUBLISHED, NOW, Phase.OVER),
        (EventStatus.CANCELLED, NOW, Phase.CANCELLED),
        (EventStatus.CANCELLED, NOW + timedelta(days=1), Phase.CANCELLED),
    ],
)
def test_an_event_is_over_from_the_moment_it_ends(status: EventStatus, ends_at: datetime, expected: Phase) -> None:
    assert phase(status, ends_at, NOW) == expected


RULINGS = """
                 DRAFT          SCHEDULED      PUBLISHED  OVER       CANCELLED
UPDATE           DO             DO             DO         DO         CANCELLED
PUBLISH          DO             DO             PUBLISHED  PUBLISHED  CANCELLED
SCHEDULE         DO             DO             PUBLISHED  PUBLISHED  CANCELLED
UNPUBLISH        DONE           DO             DO         OVER       CANCELLED
CANCEL           NOT_PUBLISHED  NOT_PUBLISHED  DO         OVER       DONE
LEAVE            DO             DO             DO         DO         CANCELLED
KICK             DO             DO             DO         DO         CANCELLED
INVITE           NOT_PUBLISHED  NOT_PUBLISHED  DO         OVER       CANCELLED
CHANGE_ROLE      DO             DO             DO         DO         CANCELLED
ANNOUNCE         NOT_PUBLISHED  NOT_PUBLISHED  DO         DO         CANCELLED
CHECK_IN         NOT_PUBLISHED  NOT_PUBLISHED  DO         DO         CANCELLED
ADVERTISE        NOT_PUBLISHED  NOT_PUBLISHED  DO         OVER       CANCELLED
OFFER_OWNERSHIP  DO             DO             DO         DO         CANCELLED
CHANGE_OWNER     DO             DO             DO         DO         DO
MODERATE_ROOM    DO             DO             DO         DO         DO
"""


def test_the_life_of_an_event() -> None:
    head, *lines = (line.split() for line in RULINGS.strip().splitlines())
    rows = [(Deed(deed), dict(zip(map(Phase, head), map(Ruling, rulings), strict=True))) for deed, *rulings in lines]
    assert dict(rows) == LIFE
    assert {*LIFE} == {*Deed} - {Deed.DELETE, Deed.RESTORE}


_STAFF = {Who.COMMUNITY_MODERATOR, Who.COMMUNITY_ADMIN}
_SAID = {Ruling.DO: "yes", Ruling.DONE: "is so", Ruling.OVER: "`EVENT_OVER`", Ruling.CANCELLED: "`EVENT_CANCELLED`"}
_SAID |= {Ruling.PUBLISHED: "`ALREADY_PUBLISHED`", Ruling.NOT_PUBLISHED: "`NOT_PUBLISHED`"}


def test_the_readme_has_the_life_and_the_roles_as_they_are() -> None:
    """Each deed has a row in both tables of the README, in the words of its rulings and of who may."""
    rows = Path(rules.__file__).parent.parent.joinpath("README.md").read_text().splitlines()
    for deed, rulings in LIFE.items():
        assert f"| `{deed}` | {' | '.join(_SAID[each] for each in rulings.values())} |" in rows, deed
    for verb, who in MAY.items():
        assert f"| `{verb}` | {' | '.join('yes' if each in who else '' for each in Who)} |" in rows, verb


def test_who_may_do_what() -> None:
    """Every deed is in the table but what everybody does for themselves; who may less never may what others may not."""
    ways_of_ones_own = {MemberDeed.JOIN, MemberDeed.LINK, MemberDeed.ACCEPT, MemberDeed.DECLINE, MemberDeed.LEAVE}
    assert {*MAY} == {*Deed} - {Deed.LEAVE} | {*MemberDeed} - ways_of_ones_own
    for deed, who in MAY.items():
        assert Who.PARTICIPANT not in who
        assert Who.MODERATOR not in who or {Who.OWNER, *_STAFF} <= who, deed
        assert Who.COMMUNITY_MODERATOR not in who or Who.COMMUNITY_ADMIN in who, deed


@pytest.mark.parametrize(("role", "status"), list(product((None, *EventMemberRole), (None, *EventMemberStatus))))
@pytest.mark.parametrize("moderates", [True, False])
@pytest.mark.parametrize("manages", [True, False])
def test_a_role_counts_only_with_a_place(
    role: EventMemberRole | None, status: EventMemberStatus | None, *, moderates: bool, manages: bool
) -> None:
    as_what = acts_as(role, status, moderates=moderates, manages=manages)
    own = as_what - _STAFF
    assert own == ({Who(role)} if role is not None and status == EventMemberStatus.JOINED else set())
    assert (Who.COMMUNITY_MODERATOR in as_what, Who.COMMUNITY_ADMIN in as_what) == (moderates, manages)
    assert may(Deed.UPDATE, own) == is_organiser(role, status)
    assert may(Deed.DELETE, own) == (own == {Who.OWNER})


LONG_AGO, JUST_NOW = NOW - COOLING, NOW - COOLING + timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("where", "cancelled_at", "had_members", "expected"),
    [
        *((each, None, False, Deletion.DO) for each in (Phase.DRAFT, Phase.SCHEDULED, Phase.PUBLISHED, Phase.OVER)),
        (Phase.SCHEDULED, None, True, Deletion.DO),
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
    assert decide_deletion(where, cancelled_at, had_members=had_members, at_once=False, now=NOW) == expected
    assert decide_deletion(where, cancelled_at, had_members=had_members, at_once=True, now=NOW) == Deletion.DO


@pytest.mark.parametrize(
    ("status", "was_cancelled", "expected"),
    [
        (EventStatus.CANCELLED, True, EventStatus.PUBLISHED),
        (EventStatus.DELETED, True, EventStatus.PUBLISHED),
        (EventStatus.DELETED, False, EventStatus.DRAFT),
        (EventStatus.DRAFT, False, None),
        (EventStatus.SCHEDULED, False, None),
        (EventStatus.PUBLISHED, False, None),
    ],
)
def test_what_an_event_is_once_it_is_back(
    status: EventStatus, expected: EventStatus | None, *, was_cancelled: bool
) -> None:
    assert restored_status(status, was_cancelled=was_cancelled) == expected


@pytest.mark.parametrize(
    ("publish_at", "starts_at", "number"),
    [
        (NOW + timedelta(seconds=1), NOW + timedelta(minutes=5, seconds=1), 0),
        (NOW, NOW + timedelta(days=1), 1),
        (NOW + timedelta(seconds=1), NOW + timedelta(minutes=5), 1),
        (NOW - timedelta(days=1), NOW - timedelta(days=2), 2),
    ],
)
def test_when_an_event_can_publish_itself(publish_at: datetime, starts_at: datetime, number: int) -> None:
    found = publication_problems(publish_at, starts_at, NOW)
    assert [each.field for each in found] == ["publishAt"] * number


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
    assert [problem.field for problem in found] == ([] if where in (Phase.DRAFT, Phase.SCHEDULED) else fields)


@pytest.mark.parametrize(("minutes", "fields"), [(5, []), (4, ["startsAt"])])
def test_the_start_stays_behind_the_moment_of_publication(minutes: int, fields: list[str]) -> None:
    moved = replace(FINE, starts_at=SOON + timedelta(minutes=minutes))
    assert [each.field for each in move_problems(Phase.SCHEDULED, FINE, moved, NOW, publish_at=SOON)] == fields
    # What else changes does not ask again.
    assert move_problems(Phase.SCHEDULED, moved, moved, NOW, publish_at=SOON + timedelta(days=1)) == []


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

"""Who comes into an event: every standing, every lock and every way, as cases."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest

from muster.events.rules import (
    MEMBERSHIPS,
    SHUTS,
    Decision,
    JoinLock,
    MemberDeed,
    Places,
    Step,
    Terms,
    Verdict,
    decide_join,
    join_locks,
    opens,
    shut_by,
)
from muster.events.tables import EventMemberStatus, EventStatus, JoinMode

START = datetime(2026, 5, 1, 18, tzinfo=UTC)
END = START + timedelta(hours=3)
BEFORE = START - timedelta(days=1)
OPEN = Terms(status=EventStatus.PUBLISHED, starts_at=START, ends_at=END, join_mode=JoinMode.OPEN)
ON_REQUEST, PRIVATE = replace(OPEN, join_mode=JoinMode.REQUEST), replace(OPEN, join_mode=JoinMode.INVITE_ONLY)

FREE, FULL = Places(taken=1, max=2), Places(taken=2, max=2)
LARGER = Places(taken=2, max=3, smallest_waiting=1)
FREE_WITH_QUEUE, UNLIMITED = Places(taken=1, max=2, smallest_waiting=1), Places(taken=90_000, max=None)

S = EventMemberStatus
STANDINGS = (None, *EventMemberStatus)
WAYS = tuple(SHUTS)
README = Path(__file__).parents[1] / "README.md"


def _at(minutes: int) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=minutes)


WINDOW = replace(OPEN, opens=120, cutoff=30, late_cutoff=20)
LOCKS: list[tuple[Terms, Places, datetime, list[JoinLock]]] = [
    (OPEN, FREE, BEFORE, []),
    (OPEN, UNLIMITED, BEFORE, []),
    (OPEN, FREE, _at(0), []),
    (replace(OPEN, status=EventStatus.DELETED), FREE, BEFORE, [JoinLock.DELETED, JoinLock.NOT_OPEN_YET]),
    (replace(OPEN, status=EventStatus.CANCELLED), FREE, BEFORE, [JoinLock.CANCELED]),
    (replace(OPEN, status=EventStatus.DRAFT), FREE, BEFORE, [JoinLock.NOT_OPEN_YET]),
    (OPEN, FREE, END - timedelta(microseconds=1), []),
    (OPEN, FREE, END, [JoinLock.ENDED]),
    (OPEN, FULL, BEFORE, [JoinLock.FULL]),
    (OPEN, replace(FULL, taken=3), BEFORE, [JoinLock.FULL]),
    (replace(OPEN, is_closed=True), FREE, BEFORE, [JoinLock.MANUAL]),
    (PRIVATE, FREE, BEFORE, [JoinLock.INVITE_ONLY]),
    (ON_REQUEST, FREE, BEFORE, []),
    (WINDOW, FREE, _at(-120) - timedelta(microseconds=1), [JoinLock.NOT_OPEN_YET]),
    (WINDOW, FREE, _at(-120), []),
    (WINDOW, FREE, _at(-30) - timedelta(microseconds=1), []),
    (WINDOW, FREE, _at(-30), [JoinLock.CUTOFF]),
    (WINDOW, FREE, _at(0) - timedelta(microseconds=1), [JoinLock.CUTOFF]),
    (WINDOW, FREE, _at(0), []),
    (WINDOW, FREE, _at(20) - timedelta(microseconds=1), []),
    (WINDOW, FREE, _at(20), [JoinLock.LATE_CUTOFF]),
    (replace(OPEN, cutoff=0), FREE, _at(0) - timedelta(microseconds=1), []),
    (replace(OPEN, late_cutoff=0), FREE, _at(0), [JoinLock.LATE_CUTOFF]),
    (replace(OPEN, allows_late=False), FREE, _at(0) - timedelta(microseconds=1), []),
    (replace(OPEN, allows_late=False), FREE, _at(0), [JoinLock.NO_LATE_JOIN]),
    # The first of them is told, in the order of the specification.
    (
        replace(PRIVATE, status=EventStatus.CANCELLED, is_closed=True, opens=60),
        FULL,
        BEFORE,
        [JoinLock.CANCELED, JoinLock.FULL, JoinLock.MANUAL, JoinLock.INVITE_ONLY, JoinLock.NOT_OPEN_YET],
    ),
    (
        replace(PRIVATE, is_closed=True, allows_late=False, late_cutoff=1),
        FULL,
        END,
        [
            *(JoinLock.ENDED, JoinLock.FULL, JoinLock.MANUAL, JoinLock.INVITE_ONLY),
            *(JoinLock.NO_LATE_JOIN, JoinLock.LATE_CUTOFF),
        ],
    ),
    (replace(PRIVATE, cutoff=60), FULL, _at(-1), [JoinLock.FULL, JoinLock.INVITE_ONLY, JoinLock.CUTOFF]),
]


@pytest.mark.parametrize(("terms", "places", "now", "locks"), LOCKS)
def test_what_is_locked_when(terms: Terms, places: Places, now: datetime, locks: list[JoinLock]) -> None:
    assert join_locks(terms, places, now) == locks


def test_every_lock_is_a_case_and_told_in_the_order_of_the_specification() -> None:
    assert {each for case in LOCKS for each in case[3]} == {*JoinLock}
    order = "DELETED CANCELED ENDED FULL MANUAL INVITE_ONLY NOT_OPEN_YET CUTOFF NO_LATE_JOIN LATE_CUTOFF"
    assert " ".join(JoinLock) == order


@pytest.mark.parametrize(("way", "lock"), list(product(WAYS, JoinLock)))
def test_which_lock_shuts_which_way_in(way: MemberDeed, lock: JoinLock) -> None:
    terms, places, now, locks = next(case for case in LOCKS if case[3][:1] == [lock])
    found = shut_by(way, terms, places, now)
    # Nothing overrides the end of an event; the community's own people may put somebody in beyond the window.
    over = lock in (JoinLock.DELETED, JoinLock.CANCELED, JoinLock.ENDED)
    window = lock not in (JoinLock.FULL, JoinLock.INVITE_ONLY) and way != MemberDeed.ADMIT
    by_mode = lock == JoinLock.INVITE_ONLY and way == MemberDeed.JOIN
    assert found == (lock if over or window or by_mode else None), locks


@pytest.mark.parametrize(
    ("terms", "now", "opens_at"),
    [
        (OPEN, BEFORE, BEFORE),
        (WINDOW, BEFORE, _at(-120)),
        (WINDOW, _at(-120), _at(-120)),
        # What is shut shortly before the start is open again at the start, for who comes late.
        (WINDOW, _at(-30), _at(0)),
        (replace(WINDOW, late_cutoff=0), _at(-30), None),
        (replace(WINDOW, late_cutoff=None, allows_late=False), _at(-30), None),
        (WINDOW, _at(20), None),
        (replace(WINDOW, is_closed=True), BEFORE, None),
        (replace(WINDOW, status=EventStatus.CANCELLED), BEFORE, None),
        (replace(WINDOW, status=EventStatus.DRAFT), BEFORE, None),
        (replace(WINDOW, join_mode=JoinMode.INVITE_ONLY), BEFORE, _at(-120)),
        (OPEN, END, None),
    ],
)
def test_when_an_event_opens_by_the_clock_alone(terms: Terms, now: datetime, opens_at: datetime | None) -> None:
    assert opens(terms, FREE, now) == opens_at


def test_the_first_lock_is_told_where_another_shuts() -> None:
    closed = replace(OPEN, is_closed=True)
    assert decide_join(closed, FULL, None, BEFORE) == Decision(Verdict.CLOSED, JoinLock.FULL)
    late = replace(PRIVATE, cutoff=60)
    assert decide_join(late, FREE, None, _at(-1)).lock == JoinLock.INVITE_ONLY
    # To who comes by a link, it does not matter that the others need one.
    assert decide_join(late, FREE, None, _at(-1), way=MemberDeed.LINK).lock == JoinLock.CUTOFF


@pytest.mark.parametrize(
    ("places", "party", "expected"),
    [
        (FREE, 1, Verdict.SEATED),
        (FREE, 2, Verdict.TOO_LARGE),
        (FULL, 1, Verdict.WAITING),
        (Places(taken=3, max=4), 3, Verdict.WAITING),
        (Places(taken=3, max=4), 4, Verdict.TOO_LARGE),
        # Who comes alone may wait for an event that is its owner's alone as yet.
        (Places(taken=1, max=1), 1, Verdict.WAITING),
        # Nobody who waits could ever have the place.
        (Places(taken=1, max=2, smallest_waiting=2), 1, Verdict.SEATED),
        # A place is free, but somebody waits for it: a newcomer never overtakes.
        (FREE_WITH_QUEUE, 1, Verdict.WAITING),
        (UNLIMITED, 6, Verdict.SEATED),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_who_may_come_in_sits_or_waits(way: MemberDeed, places: Places, party: int, expected: Verdict) -> None:
    coming = [each for each, said in MEMBERSHIPS[way].items() if said == Step.ENTER and each != S.WAITLIST]
    overtakes = way == MemberDeed.ADMIT and places is FREE_WITH_QUEUE
    for standing in coming:
        decision = decide_join(OPEN, places, standing, BEFORE, way=way, party=party)
        assert decision == Decision(Verdict.SEATED if overtakes else expected)


@pytest.mark.parametrize("way", [MemberDeed.PROMOTE, MemberDeed.ADMIT])
def test_who_waits_is_taken_from_anywhere_in_the_queue_if_there_is_room(way: MemberDeed) -> None:
    assert decide_join(OPEN, FREE_WITH_QUEUE, S.WAITLIST, BEFORE, way=way) == Decision(Verdict.SEATED)
    assert decide_join(OPEN, LARGER, S.WAITLIST, BEFORE, way=way, party=2) == Decision(Verdict.UNCHANGED)


@pytest.mark.parametrize("standing", STANDINGS)
def test_who_asks_where_the_organisers_decide(standing: EventMemberStatus | None) -> None:
    expected = {
        S.JOINED: Verdict.UNCHANGED,
        S.WAITLIST: Verdict.UNCHANGED,
        S.PENDING: Verdict.UNCHANGED,
        # Who was invited needs nobody's word any more.
        S.INVITED: Verdict.SEATED,
        S.REJECTED: Verdict.REJECTED,
        S.KICKED: Verdict.KICKED,
        S.BANNED: Verdict.BANNED,
    }
    for places in (FREE, UNLIMITED):
        assert decide_join(ON_REQUEST, places, standing, BEFORE).verdict == expected.get(standing, Verdict.ASKED)  # type: ignore[arg-type]  # None is among the standings
    assert decide_join(ON_REQUEST, FULL, None, BEFORE).verdict == Verdict.ASKED


def test_who_asked_comes_in_at_once_when_the_event_is_open_by_now() -> None:
    assert decide_join(OPEN, FREE, S.PENDING, BEFORE).verdict == Verdict.SEATED
    assert decide_join(PRIVATE, FREE, S.PENDING, BEFORE).verdict == Verdict.UNCHANGED


def test_who_was_rejected_asks_again_only_where_they_may() -> None:
    for way in (MemberDeed.JOIN, MemberDeed.LINK):
        assert decide_join(OPEN, FREE, S.REJECTED, BEFORE, way=way).verdict == Verdict.REJECTED
        again = replace(OPEN, may_ask_again=True)
        assert decide_join(again, FREE, S.REJECTED, BEFORE, way=way).verdict == Verdict.SEATED


@pytest.mark.parametrize("way", WAYS)
def test_the_banned_stay_out_by_every_way(way: MemberDeed) -> None:
    for terms, places in product((OPEN, ON_REQUEST, PRIVATE, replace(OPEN, may_ask_again=True)), (FREE, UNLIMITED)):
        verdict = decide_join(terms, places, S.BANNED, BEFORE, way=way).verdict
        assert verdict not in (Verdict.SEATED, Verdict.WAITING, Verdict.ASKED, Verdict.UNCHANGED)


def test_whom_the_owner_has_blocked_finds_the_event_closed_by_hand() -> None:
    closed = replace(OPEN, is_closed=True)
    for standing in STANDINGS:
        decision = decide_join(OPEN, FREE, standing, BEFORE, is_blocked=True)
        assert decision == decide_join(closed, FREE, standing, BEFORE)
    assert decide_join(OPEN, FREE, None, BEFORE, is_blocked=True) == Decision(Verdict.CLOSED, JoinLock.MANUAL)
    assert decide_join(OPEN, FREE, S.PENDING, BEFORE, way=MemberDeed.APPROVE, is_blocked=True).verdict == Verdict.SEATED


def test_every_deed_has_a_say_for_every_standing() -> None:
    assert {*MEMBERSHIPS} == {*MemberDeed}
    for row in MEMBERSHIPS.values():
        assert {*row} == {*STANDINGS}


def test_the_table_of_memberships_in_the_docs_is_the_one_that_rules() -> None:
    lines = [line.strip("| ").split("|") for line in README.read_text().splitlines() if line.startswith("| `")]
    wide = [[cell.strip(" `") for cell in line] for line in lines if len(line) == 1 + len(STANDINGS)]
    told = [line for line in wide if line[0] in {*MemberDeed}]
    assert [[deed.value, *(said.value for said in row.values())] for deed, row in MEMBERSHIPS.items()] == told

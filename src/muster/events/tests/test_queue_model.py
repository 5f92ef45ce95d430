"""The queue as a machine that anything may be done to, in any order: the rules alone, in plain Python, without a database.

The machine does what the commands do: it asks the rules, keeps count, and promotes where something becomes free.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from muster.events.rules import (
    MEMBERSHIPS,
    Decision,
    MemberDeed,
    Places,
    Terms,
    Verdict,
    decide_join,
    opens,
    served,
    shut_by,
)
from muster.events.tables import EventMemberStatus, EventStatus, JoinMode, WaitlistPolicy

STARTS = datetime(2026, 5, 1, 18, tzinfo=UTC)
S = EventMemberStatus
PEOPLE = st.integers(min_value=0, max_value=5)
PARTIES = st.integers(min_value=1, max_value=4)


@dataclass
class Member:
    """Somebody's membership. number: their place in the queue, or what they drew when they asked."""

    status: EventMemberStatus
    party_size: int
    number: int | None = None

    @property
    def waits(self) -> bool:
        """Whether they stand in the queue."""
        return self.status == S.WAITLIST


class Queue(RuleBasedStateMachine):
    """One event; its owner has a place, and people come and go."""

    @initialize(most=st.integers(min_value=2, max_value=7), policy=st.sampled_from(WaitlistPolicy))
    def begin(self, most: int, policy: WaitlistPolicy) -> None:
        """A new event."""
        ends = STARTS + timedelta(hours=3)
        self.terms = Terms(status=EventStatus.PUBLISHED, starts_at=STARTS, ends_at=ends, join_mode=JoinMode.OPEN)
        self.most, self.policy, self.drawn = most, policy, 0
        self.now = STARTS - timedelta(hours=2)
        self.members: dict[int, Member] = {}

    @property
    def places(self) -> Places:
        """How full the event is."""
        taken = 1 + sum(each.party_size for each in self.members.values() if each.status == S.JOINED)
        smallest = min((each.party_size for each in self.queue()), default=None)
        return Places(taken=taken, max=self.most, smallest_waiting=smallest, policy=self.policy)

    def queue(self) -> list[Member]:
        """Who waits, in the order of their numbers."""
        return sorted((each for each in self.members.values() if each.waits), key=lambda each: each.number or 0)

    def status(self, who: int) -> EventMemberStatus | None:
        """What somebody is to the event."""
        return self.members[who].status if who in self.members else None

    def decide(self, who: int, way: MemberDeed, party: int) -> Decision:
        """What becomes of who wants in."""
        asked = self.members[who].number if self.status(who) == S.PENDING else None
        able = [each.number for each in self.queue() if self.places.ever_seats(each.party_size)]
        is_next = asked is not None and all(asked < (number or 0) for number in able)
        return decide_join(self.terms, self.places, self.status(who), self.now, way=way, party=party, is_next=is_next)

    def promote(self) -> None:
        """Seat whom the rules choose."""
        if opens(self.terms, self.places, self.now) == self.now:
            for each in served(self.queue(), self.places):
                each.status, each.number = S.JOINED, None

    def draw(self) -> int:
        """The next number."""
        self.drawn += 1
        return self.drawn

    @rule(who=PEOPLE, party=PARTIES, way=st.sampled_from([MemberDeed.JOIN, MemberDeed.LINK]))
    def come(self, who: int, party: int, way: MemberDeed) -> None:
        """Somebody wants in."""
        own = self.members.get(who)
        waited = [(each, each.number) for each in self.queue()]
        decision = self.decide(who, way, party)
        if decision.verdict == Verdict.SEATED:
            asked = self.members[who].number if self.status(who) == S.PENDING else None
            before = [each for each, number in waited if asked is None or (number or 0) < asked]
            able = [each for each in before if self.places.ever_seats(each.party_size)]
            assert not [each for each in able if self.policy == WaitlistPolicy.FIFO_STRICT or each.party_size <= party]
            self.members[who] = Member(S.JOINED, party)
        elif decision.verdict == Verdict.WAITING:
            asked = own.number if own is not None and own.status == S.PENDING else None
            self.members[who] = Member(S.WAITLIST, party, asked or self.draw())
        elif decision.verdict == Verdict.ASKED:
            self.members[who] = Member(S.PENDING, party, self.draw())
        assert [(each, each.number) for each, _ in waited] == waited

    @precondition(lambda self: any(each.status == S.PENDING for each in self.members.values()))
    @rule(which=PEOPLE)
    def approve(self, which: int) -> None:
        """An organiser lets in one of those who asked."""
        pending = [each for each in self.members.values() if each.status == S.PENDING]
        own = pending[which % len(pending)]
        who = next(each for each, member in self.members.items() if member is own)
        decision = self.decide(who, MemberDeed.APPROVE, own.party_size)
        if decision.verdict == Verdict.SEATED:
            own.status, own.number = S.JOINED, None
        elif decision.verdict == Verdict.WAITING:
            own.status = S.WAITLIST

    @rule(who=PEOPLE, deed=st.sampled_from([MemberDeed.LEAVE, MemberDeed.KICK, MemberDeed.BAN, MemberDeed.UNBAN]))
    def go(self, who: int, deed: MemberDeed) -> None:
        """Somebody leaves, or is removed."""
        own = self.members.get(who)
        becomes = MEMBERSHIPS[deed][self.status(who)]
        if isinstance(becomes, EventMemberStatus):
            self.members[who] = Member(becomes, 1 if own is None else own.party_size)
            self.promote()

    @rule(most=st.integers(min_value=2, max_value=9))
    def resize(self, most: int) -> None:
        """The event grows, or shrinks as far as it may."""
        if most >= self.places.taken:
            self.most = most
            self.promote()

    @rule(
        opened=st.sampled_from([None, 60, 180]),
        cutoff=st.sampled_from([None, 30]),
        is_closed=st.sampled_from([False, False, True]),
        mode=st.sampled_from(JoinMode),
    )
    def change(self, opened: int | None, cutoff: int | None, is_closed: bool, mode: JoinMode) -> None:
        """Other terms."""
        terms = replace(self.terms, opens=opened, cutoff=cutoff, is_closed=is_closed, join_mode=mode)
        self.terms = replace(terms, may_ask_again=not is_closed)
        self.promote()

    @precondition(lambda self: self.now < STARTS)
    @rule(minutes=st.sampled_from([20, 60]))
    def wait(self, minutes: int) -> None:
        """Time passes; where the event opens meanwhile, the schedule looks."""
        due = opens(self.terms, self.places, self.now)
        self.now += timedelta(minutes=minutes)
        if due is not None and due <= self.now:
            self.promote()

    @invariant()
    def never_over(self) -> None:
        """Nobody stands: there are as many places as heads that have one."""
        assert self.places.taken <= self.most

    @invariant()
    def in_order(self) -> None:
        """Who waits has a number of their own, which was drawn."""
        numbers = [each.number for each in self.queue()]
        assert len(set(numbers)) == len(numbers)
        assert all(number is not None and number <= self.drawn for number in numbers)

    @invariant()
    def none_in_vain(self) -> None:
        """While the event lets people in, no place is free for who is next."""
        if shut_by(MemberDeed.PROMOTE, self.terms, self.places, self.now) is None:
            able = [each for each in self.queue() if self.places.ever_seats(each.party_size)]
            first = able[:1] if self.policy == WaitlistPolicy.FIFO_STRICT else able
            assert not [each for each in first if self.places.has_room(each.party_size)]


TestQueue = Queue.TestCase
TestQueue.settings = settings(
    max_examples=50, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)

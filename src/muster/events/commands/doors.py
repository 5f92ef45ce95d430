"""The doors of events: how full each is and who waits, kept in memory under the locks while one after the other goes in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from muster.chat import commands as chat
from muster.events import queries
from muster.events.commands.finding import EventNotFound
from muster.events.joining.form import Question
from muster.events.joining.queries import forms_of
from muster.events.queries import Entry, LockedEvent, Standing, Visit
from muster.events.rules import ALONE, Decision, MemberDeed, Party, Places, decide_join
from muster.events.sharing.queries import opened
from muster.events.tables import EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.ids import new_id


@dataclass(frozen=True)
class Doors:
    """The events that people want to join, under their locks, and how each of these people stands to theirs. Who is no
    member of the community any more stands nowhere.

    smallest_waiting: of the parties in each queue. first_waiting: the lowest number in each, where somebody comes who has
    asked. forms: what those ask that ask anything; one more trip, where there is any. opened: what the keys of share links
    open that people bring; likewise. Who goes in changes it for who comes next.
    """

    events: Mapping[UUID, LockedEvent]
    standings: Mapping[Visit, Standing]
    smallest_waiting: dict[UUID, int]
    first_waiting: dict[UUID, int]
    forms: Mapping[UUID, Sequence[Question]]
    opened: frozenset[tuple[UUID, str]] = frozenset()

    @classmethod
    async def open(cls, tx: Transaction, visits: Collection[Visit], keys: Collection[tuple[UUID, str]] = ()) -> Self:
        """Lock the events, and then look. keys: that people bring, each with the event that it is to open."""
        events = await queries.lock_events(tx, {each.event_id for each in visits})
        found = await queries.held_standings(tx, visits)
        return cls(
            {each.id: each for each in events},
            {Visit(event_id=each.event_id, user_id=each.user_id): each for each in found},
            {each.event_id: each.smallest_waiting for each in found if each.smallest_waiting is not None},
            {each.event_id: each.first_waiting for each in found if each.first_waiting is not None},
            await forms_of(tx, asking) if (asking := [each.id for each in events if each.has_join_form]) else {},
            await opened(tx, keys) if keys else frozenset(),
        )

    def seen(self, visit: Visit, key: str | None = None) -> tuple[LockedEvent, Standing]:
        """The event, and the person's standing. key: what they bring to see it. Raises EventNotFound."""
        event, own = self.events.get(visit.event_id), self.standings.get(visit)
        is_shown = (visit.event_id, key) in self.opened
        if event is None or own is None or not (own.seen or own.member_id is not None or is_shown):
            raise EventNotFound
        return event, own

    def places(self, event: LockedEvent) -> Places:
        """How full it is by now."""
        return replace(event.places, smallest_waiting=self.smallest_waiting.get(event.id))

    def decide(
        self,
        event: LockedEvent,
        own: Standing,
        now: datetime,
        *,
        way: MemberDeed = MemberDeed.JOIN,
        party: Party = ALONE,
    ) -> Decision:
        """What becomes of somebody who wants in with their guests, as it stands by now."""
        return decide_join(
            event.terms,
            self.places(event),
            own.status,
            now,
            way=way,
            party=party.size,
            is_blocked=own.is_blocked,
            is_next=own.asked_before(self.first_waiting.get(event.id)),
        )

    def seat(self, ctx: Ctx, event: LockedEvent, own: Standing, party: Party, answers: str | None = None) -> UUID:
        """Give somebody and their guests places; answers with the id of their membership."""
        event.joined_count += party.size
        chat.seat(ctx, room_id=event.id, user_id=own.user_id)
        return self._enter(ctx, event, own, EventMemberStatus.JOINED, party=party, answers=answers)

    def queue(self, ctx: Ctx, event: LockedEvent, own: Standing, party: Party, answers: str | None = None) -> UUID:
        """Put somebody and their guests into the queue; answers with the id of their membership.

        They stand at its tail, or, where their request is pending, where they have stood since they asked.
        """
        kept = own.asked_number if own.status == EventMemberStatus.PENDING else None
        number = self._draw(event) if kept is None else kept
        self.smallest_waiting[event.id] = min(party.size, self.smallest_waiting.get(event.id, party.size))
        self.first_waiting[event.id] = min(number, self.first_waiting.get(event.id, number))
        return self._enter(ctx, event, own, EventMemberStatus.WAITLIST, number=number, party=party, answers=answers)

    def ask(self, ctx: Ctx, event: LockedEvent, own: Standing, party: Party, answers: str | None = None) -> UUID:
        """Have somebody ask that they and their guests be let in; answers with the id of their membership."""
        own.asked_number = self._draw(event)
        number = own.asked_number
        return self._enter(ctx, event, own, EventMemberStatus.PENDING, number=number, party=party, answers=answers)

    def _enter(
        self,
        ctx: Ctx,
        event: LockedEvent,
        own: Standing,
        status: EventMemberStatus,
        *,
        party: Party,
        answers: str | None,
        number: int | None = None,
    ) -> UUID:
        own.status, own.member_id = status, own.member_id or new_id()
        entry = Entry(
            event_id=event.id,
            user_id=own.user_id,
            member_id=own.member_id,
            party=party,
            status=status,
            number=number,
            answers=answers,
        )
        queries.put_entry(ctx, entry)
        return own.member_id

    @staticmethod
    def _draw(event: LockedEvent) -> int:
        """The next number of the event: the event's lock gives each to one person."""
        event.last_queue_number += 1
        return event.last_queue_number


async def open_doors(tx: Transaction, calls: Sequence[tuple[Ctx, dict[str, Any]]]) -> Doors:
    """For people who join at the same time."""
    visits = {Visit(event_id=arguments["event_id"], user_id=ctx.user_id) for ctx, arguments in calls}
    keys = {(arguments["event_id"], arguments["key"]) for _, arguments in calls if arguments["key"] is not None}
    return await Doors.open(tx, visits, keys)

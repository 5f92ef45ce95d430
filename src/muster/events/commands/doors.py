"""The doors of events: how full each is and who waits, kept in memory under the locks while one after the other goes in."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self
from uuid import UUID

from muster.chat import commands as chat
from muster.events import queries
from muster.events.commands.finding import EventNotFound
from muster.events.joining.form import Question
from muster.events.joining.queries import forms_of
from muster.events.queries import LockedEvent, Standing, Visit
from muster.events.rules import Places
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.ids import new_id


@dataclass(frozen=True)
class Doors:
    """The events that people want to join, under their locks, and how each of these people stands to theirs.

    forms: what those ask that ask anything; one more trip, where there is any. Who goes in changes it for who comes next.
    """

    events: Mapping[UUID, LockedEvent]
    standings: Mapping[Visit, Standing]
    with_queue: set[UUID]
    forms: Mapping[UUID, Sequence[Question]]

    @classmethod
    async def open(cls, tx: Transaction, visits: Collection[Visit]) -> Self:
        """Lock the events, and then look."""
        events = await queries.lock_events(tx, {each.event_id for each in visits})
        found = await queries.standings(tx, visits)
        return cls(
            {each.id: each for each in events},
            {Visit(event_id=each.event_id, user_id=each.user_id): each for each in found},
            {each.event_id for each in found if each.has_queue},
            await forms_of(tx, asking) if (asking := [each.id for each in events if each.has_join_form]) else {},
        )

    def seen(self, visit: Visit) -> tuple[LockedEvent, Standing]:
        """The event, and the person's standing. Raises EventNotFound."""
        event, own = self.events.get(visit.event_id), self.standings.get(visit)
        if event is None or own is None or not (own.seen or own.member_id is not None):
            raise EventNotFound
        return event, own

    def places(self, event: LockedEvent) -> Places:
        """How full it is by now."""
        return replace(event.places, has_queue=event.id in self.with_queue)

    def seat(self, ctx: Ctx, event: LockedEvent, own: Standing, answers: str | None = None) -> UUID:
        """Give the acting person a place; answers with the id of their membership."""
        event.joined_count += 1
        own.status, own.member_id = EventMemberStatus.JOINED, own.member_id or new_id()
        queries.put_seated(ctx, event.id, member_id=own.member_id, role=EventMemberRole.PARTICIPANT, answers=answers)
        chat.seat(ctx, room_id=event.id, user_id=ctx.user_id)
        return own.member_id

    def queue(self, ctx: Ctx, event: LockedEvent, own: Standing, answers: str | None = None) -> UUID:
        """Put the acting person into the queue; answers with the id of their membership.

        They stand at its tail, or, where their request is pending, where they have stood since they asked.
        """
        kept = own.asked_number if own.status == EventMemberStatus.PENDING else None
        number = self._draw(event) if kept is None else kept
        self.with_queue.add(event.id)
        own.status, own.member_id = EventMemberStatus.WAITLIST, own.member_id or new_id()
        queries.put_waiting(ctx, event.id, member_id=own.member_id, number=number, answers=answers)
        return own.member_id

    def ask(self, ctx: Ctx, event: LockedEvent, own: Standing, answers: str | None = None) -> UUID:
        """Have the acting person ask to be let in; answers with the id of their membership."""
        own.status, own.member_id = EventMemberStatus.PENDING, own.member_id or new_id()
        own.asked_number = self._draw(event)
        queries.put_asking(ctx, event.id, member_id=own.member_id, number=own.asked_number, answers=answers)
        return own.member_id

    @staticmethod
    def _draw(event: LockedEvent) -> int:
        """The next number of the event: the event's lock gives each to one person."""
        event.last_queue_number += 1
        return event.last_queue_number


async def open_doors(tx: Transaction, calls: Sequence[tuple[Ctx, dict[str, Any]]]) -> Doors:
    """For people who join at the same time."""
    visits = {Visit(event_id=arguments["event_id"], user_id=ctx.user_id) for ctx, arguments in calls}
    return await Doors.open(tx, visits)

"""The one way in which places that are free go to who wait; whatever frees a place calls it in its own transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from muster.chat import commands as chat
from muster.events import queries
from muster.events.facts import EventOffered, EventOwnershipDeclined, EventOwnershipWithdrawn, EventPromoted
from muster.events.invites import invited
from muster.events.invites.tables import EventInvitationStatus
from muster.events.joining.queries import put_change
from muster.events.queries import LockedEvent, Standing, Visit
from muster.events.rules import MEMBERSHIPS, MemberDeed, opens, served
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.events.waitlist.queries import Waiting, heads, put_offers, put_places, put_promotion_due
from muster.kit.commands.context import Ctx


async def depart(ctx: Ctx, event: LockedEvent, own: Standing, deed: MemberDeed, *, note: str | None = None) -> None:
    """A party goes, be it seated or in the queue; what it had or was offered goes to who wait.

    event: locked. own: how the person stands, read under the lock. deed: one that makes them something else, by
    `rules.MEMBERSHIPS`. note: why, for the organisers.
    """
    now_is = MEMBERSHIPS[deed][own.status]
    assert isinstance(now_is, EventMemberStatus)
    seats = own.party.size if own.status == EventMemberStatus.JOINED else 0
    held = own.party.size if own.offer_expires_at is not None else 0
    visit = Visit(event_id=event.id, user_id=own.user_id)
    if await queries.put_departed(ctx, visit, seats=seats, held=held, now_is=now_is, note=note):
        # Who was to own the event will not. Who leaves says no by it; who is removed is not asked.
        ended = EventOwnershipDeclined if deed == MemberDeed.LEAVE else EventOwnershipWithdrawn
        ctx.record(ended(event_id=event.id, user_id=own.user_id))
    if own.status == EventMemberStatus.INVITED:
        status = EventInvitationStatus.REVOKED if deed == MemberDeed.BAN else EventInvitationStatus.DECLINED
        invited.answer(ctx, event.id, own.user_id, status)
    role = own.role or EventMemberRole.PARTICIPANT
    put_change(ctx, event_id=event.id, user_id=own.user_id, deed=deed, status=now_is, role=role, note=note)
    event.joined_count -= seats
    event.held_count -= held
    if seats:
        await chat.unseat(ctx, room_id=event.id, user_id=own.user_id)
    # Also of one who only waited: a party that does not fit and goes may have blocked others.
    await promote(ctx, event)


async def promote(ctx: Ctx, event: LockedEvent) -> None:
    """Give the free places of an event to who wait, or offer them, in the order that its policy says.

    event: locked, and as it is by now; its counters follow. While nobody gets into it, nobody is promoted either; where
    that ends by the clock alone, the schedule does it then.
    """
    places = event.places
    opens_at = opens(event.terms, places, ctx.now) if places.has_room() else None
    chosen = [] if opens_at is None else served(await heads(ctx, event.id, places.free), places)
    is_open = opens_at == ctx.now
    await _remember(ctx, event, opens_at if chosen and not is_open else None)
    if chosen and is_open:
        await (seat if event.offer_minutes is None else _offer)(ctx, event, chosen)


async def _remember(ctx: Ctx, event: LockedEvent, due: datetime | None) -> None:
    """Have the schedule look at the event when it opens, or not at all."""
    if due != event.promotion_due_at:
        await put_promotion_due(ctx, event.id, due)
        event.promotion_due_at = due


async def seat(
    ctx: Ctx,
    event: LockedEvent,
    parties: Sequence[Waiting],
    *,
    were_held: int = 0,
    chosen_by_id: UUID | None = None,
    of_itself: bool = True,
) -> None:
    """Seat parties that wait, in the room of the event too.

    were_held: heads of them whom places were offered. chosen_by_id: the organiser who chose them, whatever the order.
    of_itself: nobody did it, it followed.
    """
    heads_seated = sum(each.party_size for each in parties)
    await put_places(ctx, event.id, [each.id for each in parties], seats=heads_seated, were_held=were_held)
    event.joined_count += heads_seated
    event.held_count -= were_held
    await chat.seat_all(ctx, room_id=event.id, user_ids=[each.user_id for each in parties])
    for each in parties:
        promoted = EventPromoted(event_id=event.id, user_id=each.user_id, member_id=each.id, chosen_by_id=chosen_by_id)
        ctx.record(promoted)
        put_change(
            ctx,
            event_id=event.id,
            user_id=each.user_id,
            deed=MemberDeed.PROMOTE,
            status=EventMemberStatus.JOINED,
            of_itself=of_itself,
        )


async def _offer(ctx: Ctx, event: LockedEvent, parties: Sequence[Waiting]) -> None:
    held, until = sum(each.party_size for each in parties), ctx.now + timedelta(minutes=event.offer_minutes or 0)
    await put_offers(ctx, event.id, [each.id for each in parties], held=held, until=until)
    event.held_count += held
    for each in parties:
        ctx.record(EventOffered(event_id=event.id, user_id=each.user_id, member_id=each.id, until=until))

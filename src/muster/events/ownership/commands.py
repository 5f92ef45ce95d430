"""Hand an event over: its owner offers it, somebody in it accepts. There is exactly one owner at every moment."""

from datetime import timedelta
from uuid import UUID

from muster.access.roles import EVENT_MANAGE
from muster.events import queries as events
from muster.events.commands.attend import NotSeated
from muster.events.commands.finding import is_left_to_do, lock_event_for, lock_seen_event
from muster.events.facts import (
    EventOwnerChanged,
    EventOwnershipDeclined,
    EventOwnershipOffered,
    EventOwnershipWithdrawn,
)
from muster.events.limits import EVENT_WRITE
from muster.events.ownership import queries
from muster.events.ownership.views import EventOwnershipOfferView
from muster.events.rules import Deed
from muster.events.tables import EventMemberStatus
from muster.events.views import EventView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, NotFound
from muster.tenancy import queries as tenancy
from muster.tenancy.tables import MemberStatus

OFFER_LIFETIME = timedelta(days=7)


class NoEventOffer(NotFound):
    """Nobody offers you this event; the offer was taken back, or is over."""

    code = "OFFER_NOT_FOUND"


@command(
    "POST /events/{event_id}/ownership-offer", "offerEventOwnership", allow=member, limit=EVENT_WRITE, answers=(201,)
)
async def offer(ctx: Ctx, *, event_id: UUID, user_id: UUID) -> EventOwnershipOfferView:
    """Offer an event to somebody who has a place in it, in place of any offer before. It is theirs once they accept, in
    7 days.

    Raises EventNotFound, NotOrganiser, NotOwner, EventIsCancelled, Invalid.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.OFFER_OWNERSHIP)
    is_left_to_do(ctx, event, Deed.OFFER_OWNERSHIP)
    if user_id == event.owner_id or not await _may_own(ctx, event_id, user_id):
        raise Invalid.field("userId", "must be somebody else who has a place in the event")
    offer_id = await queries.put_offer(ctx, event_id, user_id, ctx.now + OFFER_LIFETIME)
    ctx.record(EventOwnershipOffered(event_id=event_id, user_id=user_id))
    return EventOwnershipOfferView.ref(offer_id, created=True)


@command("DELETE /events/{event_id}/ownership-offer", "endEventOwnershipOffer", allow=member, limit=EVENT_WRITE)
async def end(ctx: Ctx, *, event_id: UUID) -> EventView:
    """Take back the offer of one's event, or say no to the offer that one has. Without an offer, nothing happens.

    Raises EventNotFound, NoEventOffer.
    """
    event, _ = await lock_seen_event(ctx, event_id)
    found = await queries.find_offer(ctx, event_id)
    is_owner, is_asked = event.owner_id == ctx.user_id, found is not None and found.user_id == ctx.user_id
    if not (is_owner or is_asked):
        raise NoEventOffer
    if found is not None and await queries.forget_offer(ctx, event_id):
        fact = EventOwnershipWithdrawn if is_owner else EventOwnershipDeclined
        ctx.record(fact(event_id=event_id, user_id=found.user_id))
    return EventView.ref(event_id)


@command("POST /events/{event_id}/ownership", "acceptEventOwnership", allow=member, limit=EVENT_WRITE)
async def accept(ctx: Ctx, *, event_id: UUID) -> EventView:
    """Become the owner of an event that one is offered. Who was it becomes a moderator.

    Raises EventNotFound, NoEventOffer, EventIsCancelled, NotSeated.
    """
    # With the event's lock: of accepting, declining, taking back and giving it to another only one happens.
    event, own = await lock_seen_event(ctx, event_id)
    found = await queries.find_offer(ctx, event_id)
    if found is None or found.user_id != ctx.user_id or found.expires_at <= ctx.now:
        raise NoEventOffer
    is_left_to_do(ctx, event, Deed.OFFER_OWNERSHIP)
    if own.status != EventMemberStatus.JOINED:
        raise NotSeated
    await _hand_over(ctx, event_id, event.owner_id, ctx.user_id)
    return EventView.ref(event_id)


@command("PUT /events/{id}/owner", "changeEventOwner", allow=member, permission=EVENT_MANAGE, limit=EVENT_WRITE)
async def change(ctx: Ctx, *, id: UUID, user_id: UUID) -> EventView:
    """Give an event to another owner, who has a place in it; a cancelled one, too, so that it can be brought back.

    Giving it to who has it changes nothing. Raises EventNotFound, Invalid.
    """
    event, _ = await lock_event_for(ctx, id, Deed.CHANGE_OWNER)
    if user_id != event.owner_id:
        if not await _may_own(ctx, id, user_id):
            raise Invalid.field("userId", "must be somebody who has a place in the event")
        await _hand_over(ctx, id, event.owner_id, user_id)
    return EventView.ref(id)


async def _may_own(ctx: Ctx, event_id: UUID, user_id: UUID) -> bool:
    standing = await events.standing(ctx, event_id, user_id)
    if standing is None or standing.status != EventMemberStatus.JOINED:
        return False
    return await tenancy.find_status(ctx, user_id) == MemberStatus.ACTIVE


async def _hand_over(ctx: Ctx, event_id: UUID, old_owner_id: UUID, user_id: UUID) -> None:
    await queries.hand_over(ctx, event_id, user_id)
    ctx.record(EventOwnerChanged(event_id=event_id, user_id=user_id, old_owner_id=old_owner_id))

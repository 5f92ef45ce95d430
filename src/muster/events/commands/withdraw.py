"""Somebody goes for good: their places go to who wait, and what they organise does not take place."""

from uuid import UUID

from muster.events import queries, rules
from muster.events.facts import EventCancelled, EventDeleted, EventLeft, EventOwnershipWithdrawn, EventWithdrawn
from muster.events.ownership.queries import find_offer, forget_offer
from muster.events.rules import Deed, MemberDeed, Phase, Ruling
from muster.events.tables import EventMemberRole, EventStatus
from muster.events.waitlist.promotion import depart
from muster.kit.commands.context import Ctx

AT_ONCE = 20
"""Events that one transaction locks."""


async def withdraw(ctx: Ctx, user_id: UUID, after: UUID | None) -> UUID | None:
    """Take a person out of their next events in the tenant, in the order of ids, so that no two who lock several wait
    for each other. Answers with the last of them; None when there are no more.

    after: the last event of the call before. What is over stays as it was. Done twice, it changes nothing.
    """
    attended = await queries.attended_after(ctx, user_id, after, size=AT_ONCE)
    for event_id in attended:
        await _leave(ctx, event_id, user_id)
    return attended[-1] if attended else None


async def _leave(ctx: Ctx, event_id: UUID, user_id: UUID) -> None:
    event = await queries.lock_gone_event(ctx, event_id)
    own = await queries.standing(ctx, event_id, user_id)
    if event is None or own is None or own.member_id is None or own.status is None:
        return
    phase = None if event.status == EventStatus.DELETED else event.phase(ctx.now)
    if own.role == EventMemberRole.OWNER:
        if phase is not None:
            await _call_off(ctx, event_id, phase, user_id)
            await _end_offer(ctx, event_id, phase)
    elif phase != Phase.OVER:
        # What is cancelled or deleted, too: it may be brought back, and would come with them in it.
        await depart(ctx, event, own, MemberDeed.LEAVE)
        left = EventLeft if own.status in rules.ATTENDING else EventWithdrawn
        ctx.record(left(event_id=event_id, user_id=user_id, member_id=own.member_id))


async def _call_off(ctx: Ctx, event_id: UUID, phase: Phase, user_id: UUID) -> None:
    """Cancel what is to come, so that everybody in it is told; what nobody saw yet is deleted, be it to publish itself or
    not.
    """
    if rules.LIFE[Deed.CANCEL][phase] == Ruling.DO:
        await queries.put_cancelled(ctx, event_id, None)
        ctx.record(EventCancelled(event_id=event_id, user_id=user_id))
    elif phase in (Phase.DRAFT, Phase.SCHEDULED):
        await queries.put_deleted(ctx, event_id)
        ctx.record(EventDeleted(event_id=event_id))


async def _end_offer(ctx: Ctx, event_id: UUID, phase: Phase) -> None:
    """Take back what was offered of an event that is called off: nobody becomes its owner without having said so. What is
    over may still find a new one.
    """
    offer = None if phase == Phase.OVER else await find_offer(ctx, event_id)
    if offer is not None and await forget_offer(ctx, event_id):
        ctx.record(EventOwnershipWithdrawn(event_id=event_id, user_id=offer.user_id))

"""What is due in queues."""

from muster.events import queries
from muster.events.facts import EventOfferLapsed
from muster.events.queries import Visit
from muster.events.rules import MemberDeed
from muster.events.waitlist.promotion import depart, promote
from muster.events.waitlist.queries import due_offers, lock_due_promotions
from muster.kit.commands.context import Ctx


async def lapse_offers(ctx: Ctx) -> None:
    """Take back the places of who did not take them in time, and let who is next have them.

    Two workers may look at once: the events' locks let one in after the other, and each asks again under them.
    """
    due = await due_offers(ctx)
    events = {each.id: each for each in await queries.lock_events(ctx.db, {each.event_id for each in due})}
    visits = [Visit(event_id=each.event_id, user_id=each.user_id) for each in due if each.event_id in events]
    for own in await queries.standings(ctx.db, visits):
        if own.member_id is not None and own.offer_expires_at is not None and own.offer_expires_at <= ctx.now:
            await depart(ctx, events[own.event_id], own, MemberDeed.LEAVE)
            lapsed = EventOfferLapsed(event_id=own.event_id, user_id=own.user_id, member_id=own.member_id)
            ctx.record(lapsed)


async def promote_due(ctx: Ctx) -> None:
    """Give the places that a window shut off until now to who waits.

    Two workers may look at once: each event is locked by its row, and the lock asks once more whether it is still due.
    Where the window turns out to open later, or the event is closed by hand by now, `promote` says so anew.
    """
    for event in await lock_due_promotions(ctx):
        await promote(ctx, event)

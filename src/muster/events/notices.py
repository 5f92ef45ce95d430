"""What people are told about events."""

from muster.events import queries
from muster.events.facts import EventJoined, EventPromoted
from muster.kit.commands.context import Ctx
from muster.notifications import commands as notifications


async def tell_owner_of_join(ctx: Ctx, fact: EventJoined) -> None:
    """Tell the owner who took a place; their own needs no telling."""
    owner_id = await queries.owner_of(ctx, fact.event_id)
    if owner_id is not None and owner_id != fact.user_id:
        data = {"eventId": fact.event_id, "userId": fact.user_id}
        await notifications.tell(ctx, user_id=owner_id, kind="EVENT_JOINED", data=data)


async def tell_promoted(ctx: Ctx, fact: EventPromoted) -> None:
    """Tell who waited that they have a place now."""
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_PROMOTED", data={"eventId": fact.event_id})

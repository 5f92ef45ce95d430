"""Finding the event that a verb is about: locked, and seen by whoever acts."""

from uuid import UUID

from muster.events import queries
from muster.events.queries import LockedEvent, Standing
from muster.kit.commands.context import Ctx
from muster.kit.errors import NotFound


class EventNotFound(NotFound):
    """There is no such event, or it is not for you."""

    code = "EVENT_NOT_FOUND"


async def lock_seen_event(ctx: Ctx, event_id: UUID) -> tuple[LockedEvent, Standing]:
    """The event under its lock, and how the acting person stands to it. Raises EventNotFound."""
    event = await queries.lock_event(ctx, event_id)
    own = None if event is None else await queries.standing(ctx, event_id, ctx.user_id)
    if event is None or own is None or not (own.seen or own.member_id is not None):
        raise EventNotFound
    return event, own

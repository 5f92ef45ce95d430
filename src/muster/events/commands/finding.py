"""Finding the event that a verb is about: locked, seen by whoever acts, and in a phase of its life that allows the verb."""

from uuid import UUID

from muster.access.roles import EVENT_MODERATE
from muster.events import queries, rules
from muster.events.queries import LockedEvent, Standing
from muster.events.rules import Deed, Ruling
from muster.events.tables import EventMemberRole
from muster.kit.commands.context import Ctx
from muster.kit.errors import AppError, Conflict, Denied, NotFound


class EventNotFound(NotFound):
    """There is no such event, or it is not for you."""

    code = "EVENT_NOT_FOUND"


class NotOrganiser(Denied):
    """Only the organisers of this event may do this."""

    code = "NOT_ORGANISER"


class NotOwner(Denied):
    """Only the owner of this event may do this."""

    code = "NOT_OWNER"


class NotPublished(Conflict):
    """The event is a draft; publish it first, or delete it."""

    code = "NOT_PUBLISHED"


class AlreadyPublished(Conflict):
    """The event is published already."""

    code = "ALREADY_PUBLISHED"


class EventOver(Conflict):
    """The event is over; what was, stays."""

    code = "EVENT_OVER"


class EventIsCancelled(Conflict):
    """The event is cancelled, and stays as it is."""

    code = "EVENT_CANCELLED"


_REFUSALS: dict[Ruling, type[AppError]] = {
    Ruling.NOT_PUBLISHED: NotPublished,
    Ruling.PUBLISHED: AlreadyPublished,
    Ruling.OVER: EventOver,
    Ruling.CANCELLED: EventIsCancelled,
}


async def lock_seen_event(ctx: Ctx, event_id: UUID) -> tuple[LockedEvent, Standing]:
    """The event under its lock, and how the acting person stands to it. Raises EventNotFound."""
    event = await queries.lock_event(ctx, event_id)
    own = None if event is None else await queries.standing(ctx, event_id, ctx.user_id)
    if event is None or own is None or not (own.seen or own.member_id is not None):
        raise EventNotFound
    return event, own


async def lock_organised_event(ctx: Ctx, event_id: UUID) -> tuple[LockedEvent, Standing]:
    """The same for who runs the event or moderates the community. Raises EventNotFound, NotOrganiser."""
    event, own = await lock_seen_event(ctx, event_id)
    if not (rules.is_organiser(own.role, own.status) or ctx.may(EVENT_MODERATE)):
        raise NotOrganiser
    return event, own


async def lock_owned_event(ctx: Ctx, event_id: UUID) -> LockedEvent:
    """The same for its owner or who moderates the community. Raises EventNotFound, NotOrganiser, NotOwner."""
    event, own = await lock_organised_event(ctx, event_id)
    if own.role != EventMemberRole.OWNER and not ctx.may(EVENT_MODERATE):
        raise NotOwner
    return event


def is_left_to_do(ctx: Ctx, event: LockedEvent, deed: Deed) -> bool:
    """Whether the deed is still to be done; False when it is so already.

    Raises NotPublished, AlreadyPublished, EventOver, EventIsCancelled.
    """
    ruling = rules.LIFE[deed][event.phase(ctx.now)]
    if ruling in _REFUSALS:
        raise _REFUSALS[ruling]
    return ruling == Ruling.DO

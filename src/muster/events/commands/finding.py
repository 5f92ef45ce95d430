"""Finding the event that a verb is about: locked, seen by whoever acts, and in a phase of its life that allows the verb."""

from uuid import UUID

from muster.access.roles import EVENT_MANAGE, EVENT_MODERATE
from muster.events import queries, rules
from muster.events.queries import LockedEvent, Standing
from muster.events.rules import Deed, MemberDeed, Ruling, Who
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
    if event is None or own is None or not (own.seen or own.member_id is not None or ctx.may(EVENT_MANAGE)):
        raise EventNotFound
    return event, own


def acts_as(ctx: Ctx, own: Standing) -> frozenset[Who]:
    """As what the acting person does what they do to an event."""
    return rules.acts_as(own.role, own.status, moderates=ctx.may(EVENT_MODERATE), manages=ctx.may(EVENT_MANAGE))


async def lock_event_for(ctx: Ctx, event_id: UUID, deed: Deed | MemberDeed) -> tuple[LockedEvent, Standing]:
    """The same for who may do this to it, by `rules.MAY`. Raises EventNotFound, NotOrganiser, NotOwner."""
    event, own = await lock_seen_event(ctx, event_id)
    as_what = acts_as(ctx, own)
    if not rules.may(deed, as_what):
        raise NotOwner if rules.may(Deed.UPDATE, as_what) else NotOrganiser
    return event, own


def is_left_to_do(ctx: Ctx, event: LockedEvent, deed: Deed) -> bool:
    """Whether the deed is still to be done; False when it is so already.

    Raises NotPublished, AlreadyPublished, EventOver, EventIsCancelled.
    """
    ruling = rules.LIFE[deed][event.phase(ctx.now)]
    if ruling in _REFUSALS:
        raise _REFUSALS[ruling]
    return ruling == Ruling.DO

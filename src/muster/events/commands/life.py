"""Publish, unpublish, cancel and delete events; `rules.LIFE` says when."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.events import queries, rules
from muster.events.commands.finding import EventOver, is_left_to_do, lock_organised_event, lock_owned_event
from muster.events.facts import EventCancelled, EventDeleted, EventPublished, EventUnpublished
from muster.events.limits import EVENT_WRITE
from muster.events.rules import Deed, Deletion
from muster.events.views import EventView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import AppError, Conflict


class StartsTooSoon(Conflict):
    """An event is published at least five minutes before it starts."""

    code = "STARTS_TOO_SOON"


class HasMembers(Conflict):
    """People have a place in this event or wait for one; cancel it, so that they are told."""

    code = "HAS_MEMBERS"


class CancelFirst(Conflict):
    """People took part in this event; cancel it first, so that they are told."""

    code = "CANCEL_FIRST"


class DeletedTooSoon(Conflict):
    """An event that people took part in is deleted thirty days after it was cancelled."""

    code = "DELETED_TOO_SOON"


_REFUSALS: dict[Deletion, type[AppError]] = {
    Deletion.CANCEL_FIRST: CancelFirst,
    Deletion.OVER: EventOver,
    Deletion.WAIT: DeletedTooSoon,
}

Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; who has a place or waits is told.")
]


@command("POST /events/{id}/publication", "publishEvent", allow=member, limit=EVENT_WRITE)
async def publish(ctx: Ctx, *, id: UUID) -> EventView:
    """Publish a draft, so that others find it and join.

    Raises EventNotFound, NotOrganiser, AlreadyPublished, EventIsCancelled, StartsTooSoon.
    """
    event, _ = await lock_organised_event(ctx, id)
    is_left_to_do(ctx, event, Deed.PUBLISH)
    if event.starts_at < ctx.now + rules.EARLIEST_START:
        raise StartsTooSoon
    await queries.put_published(ctx, id)
    ctx.record(EventPublished(event_id=id))
    return EventView.ref(id)


@command("DELETE /events/{id}/publication", "unpublishEvent", allow=member, limit=EVENT_WRITE)
async def unpublish(ctx: Ctx, *, id: UUID) -> EventView:
    """Make an event a draft again, while nobody but its team is in it. A draft stays one.

    Raises EventNotFound, NotOrganiser, EventOver, EventIsCancelled, HasMembers.
    """
    event, _ = await lock_organised_event(ctx, id)
    if is_left_to_do(ctx, event, Deed.UNPUBLISH):
        # Who joins waits for the event's lock, so nobody slips in between this question and the change.
        if await queries.has_guests(ctx, id):
            raise HasMembers
        await queries.put_unpublished(ctx, id)
        ctx.record(EventUnpublished(event_id=id))
    return EventView.ref(id)


@command("POST /events/{id}/cancellation", "cancelEvent", allow=member, limit=EVENT_WRITE)
async def cancel(ctx: Ctx, *, id: UUID, reason: Reason | None = None) -> EventView:
    """Call an event off. It stays to be seen, nothing of it changes any more, and everybody in it is told.

    Cancelling twice changes nothing, not even the reason.
    reason: why, for everybody who sees the event.
    Raises EventNotFound, NotOrganiser, NotPublished, EventOver.
    """
    event, _ = await lock_organised_event(ctx, id)
    if is_left_to_do(ctx, event, Deed.CANCEL):
        await queries.put_cancelled(ctx, id, reason)
        ctx.record(EventCancelled(event_id=id, user_id=ctx.user_id))
    return EventView.ref(id)


@command("DELETE /events/{id}", "deleteEvent", allow=member, limit=EVENT_WRITE)
async def delete(ctx: Ctx, *, id: UUID) -> EventView:
    """Delete an event for everybody; answers with a last look at it.

    A draft, and what nobody else ever took part in, at once; anything else thirty days after it was cancelled.
    Raises EventNotFound, NotOrganiser, NotOwner, CancelFirst, DeletedTooSoon, EventOver.
    """
    event = await lock_owned_event(ctx, id)
    had_members = await queries.had_members(ctx, id)
    phase = event.phase(ctx.now)
    deletion = rules.decide_deletion(phase, event.cancelled_at, had_members=had_members, now=ctx.now)
    if deletion in _REFUSALS:
        raise _REFUSALS[deletion]
    await queries.put_deleted(ctx, id)
    ctx.record(EventDeleted(event_id=id))
    return EventView.ref(id)

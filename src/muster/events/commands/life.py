"""Publish, unpublish, cancel, delete and restore events; `rules.LIFE` says when."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, structs

from muster.access.roles import EVENT_MANAGE
from muster.events import queries, rules
from muster.events.commands.finding import EventNotFound, EventOver, is_left_to_do, lock_event_for
from muster.events.facts import (
    EventCancelled,
    EventDeleted,
    EventMissedPublication,
    EventPublished,
    EventRestored,
    EventScheduled,
    EventUnpublished,
)
from muster.events.limits import EVENT_WRITE
from muster.events.queries import LockedEvent
from muster.events.rules import Deed, Deletion
from muster.events.sponsorship.limiting import hold_to_plan_in_public
from muster.events.tables import EventStatus
from muster.events.views import EventView
from muster.events.waitlist.promotion import promote
from muster.kit.arguments import Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import AppError, Conflict, Invalid
from muster.tenancy import queries as tenancy
from muster.tenancy.tables import MemberStatus


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


class OwnerGone(Conflict):
    """Who owned this event is no member any more; give it another owner first, if it was not deleted."""

    code = "OWNER_GONE"


_REFUSALS: dict[Deletion, type[AppError]] = {
    Deletion.CANCEL_FIRST: CancelFirst,
    Deletion.OVER: EventOver,
    Deletion.WAIT: DeletedTooSoon,
}

Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; who has a place or waits is told.")
]


PublishAt = Annotated[
    Instant, Meta(examples=["2031-04-01T18:00:00Z"], description="At least 5 minutes before the start.")
]


@command("POST /events/{id}/publication", "publishEvent", allow=member, limit=EVENT_WRITE)
async def publish(ctx: Ctx, *, id: UUID) -> EventView:
    """Publish a draft, so that others find it and join.

    Raises EventNotFound, NotOrganiser, AlreadyPublished, EventIsCancelled, StartsTooSoon, PlanLimitReached.
    """
    event, _ = await lock_event_for(ctx, id, Deed.PUBLISH)
    is_left_to_do(ctx, event, Deed.PUBLISH)
    if event.starts_at < ctx.now + rules.EARLIEST_START:
        raise StartsTooSoon
    await hold_to_plan_in_public(ctx, event)
    await _publish(ctx, event)
    return EventView.ref(id)


async def _publish(ctx: Ctx, event: LockedEvent) -> None:
    """Let others find a locked event. Who waits, in one that was deleted and is back, gets what became free meanwhile."""
    await queries.put_published(ctx, event.id)
    ctx.record(EventPublished(event_id=event.id))
    await promote(ctx, structs.replace(event, status=EventStatus.PUBLISHED, publish_at=None))


@command("DELETE /events/{id}/publication", "unpublishEvent", allow=member, limit=EVENT_WRITE)
async def unpublish(ctx: Ctx, *, id: UUID) -> EventView:
    """Make an event a draft again, while nobody but its team is in it. A draft stays one.

    Raises EventNotFound, NotOrganiser, EventOver, EventIsCancelled, HasMembers.
    """
    event, _ = await lock_event_for(ctx, id, Deed.UNPUBLISH)
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
    event, _ = await lock_event_for(ctx, id, Deed.CANCEL)
    if is_left_to_do(ctx, event, Deed.CANCEL):
        await queries.put_cancelled(ctx, id, reason)
        ctx.record(EventCancelled(event_id=id, user_id=ctx.user_id))
    return EventView.ref(id)


@command("DELETE /events/{id}", "deleteEvent", allow=member, limit=EVENT_WRITE)
async def delete(ctx: Ctx, *, id: UUID) -> EventView:
    """Delete an event for everybody; answers with a last look at it.

    A draft, and what nobody else ever took part in, at once; anything else thirty days after it was cancelled. Who
    manages the events of the community need not wait; whoever was in it is told.
    Raises EventNotFound, NotOrganiser, NotOwner, CancelFirst, DeletedTooSoon, EventOver.
    """
    event, _ = await lock_event_for(ctx, id, Deed.DELETE)
    had_members = await queries.had_members(ctx, id)
    deletion = rules.decide_deletion(
        event.phase(ctx.now),
        event.cancelled_at,
        had_members=had_members,
        at_once=ctx.may(EVENT_MANAGE),
        now=ctx.now,
    )
    if deletion in _REFUSALS:
        raise _REFUSALS[deletion]
    await queries.put_deleted(ctx, id)
    ctx.record(EventDeleted(event_id=id, user_id=ctx.user_id))
    return EventView.ref(id)


@command("PUT /events/{id}/publication", "schedulePublication", allow=member, limit=EVENT_WRITE)
async def schedule(ctx: Ctx, *, id: UUID, publish_at: PublishAt) -> EventView:
    """Have a draft publish itself at a moment; until then it is seen by its organisers alone, and may still be changed.

    Another moment takes the place of the first; `unpublishEvent` takes it back.
    Raises EventNotFound, NotOrganiser, AlreadyPublished, EventIsCancelled, Invalid, PlanLimitReached.
    """
    event, _ = await lock_event_for(ctx, id, Deed.SCHEDULE)
    is_left_to_do(ctx, event, Deed.SCHEDULE)
    for problem in rules.publication_problems(publish_at, event.starts_at, ctx.now):
        raise Invalid.field(problem.field, problem.message)
    await hold_to_plan_in_public(ctx, event)
    await queries.put_scheduled(ctx, id, publish_at)
    ctx.record(EventScheduled(event_id=id))
    return EventView.ref(id)


async def publish_due(ctx: Ctx) -> None:
    """Publish the events of a tenant whose moment has come. One that has begun by then becomes a draft again.

    Each is locked by its row, and the lock asks once more whether it is still due: of two who look at the same time one
    publishes it, and who moves or takes back the moment, or changes the start, does so before or after, not meanwhile.
    """
    for event in await queries.lock_due_events(ctx):
        if event.starts_at > ctx.now:
            await _publish(ctx, event)
        else:
            await queries.put_unpublished(ctx, event.id)
            ctx.record(EventMissedPublication(event_id=event.id))


@command("POST /events/{id}/restoration", "restoreEvent", allow=member, permission=EVENT_MANAGE, limit=EVENT_WRITE)
async def restore(ctx: Ctx, *, id: UUID) -> EventView:
    """Bring back what was cancelled or deleted: what had been published is so again, anything else is a draft.

    Who waits gets the places of those who left the community meanwhile. Restoring what is not gone changes nothing. Raises EventNotFound, OwnerGone.
    """
    event = await queries.lock_gone_event(ctx, id)
    if event is None:
        raise EventNotFound
    status = rules.restored_status(event.status, was_cancelled=event.cancelled_at is not None)
    if status is None:
        return EventView.ref(id)
    if await tenancy.find_status(ctx, event.owner_id) != MemberStatus.ACTIVE:
        raise OwnerGone
    await queries.put_restored(ctx, id, status)
    ctx.record(EventRestored(event_id=id, user_id=ctx.user_id))
    await promote(ctx, structs.replace(event, status=status))
    return EventView.ref(id)

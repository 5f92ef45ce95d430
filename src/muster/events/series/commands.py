"""The verbs of series: have an event come again, change what is to come, call it off, join and leave it whole.

What concerns one occurrence alone is done to that event, by the verbs of events; it keeps what was changed there.
"""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from msgspec import UNSET, Meta, UnsetType, structs

from muster.access.roles import EVENT_CREATE, EVENT_MODERATE
from muster.events import queries as events
from muster.events.commands.attend import leave
from muster.events.commands.finding import NotOwner, NotPublished, lock_event_for
from muster.events.commands.inputs import ClockTime, UpdateEventInput
from muster.events.commands.life import Reason, cancel
from muster.events.commands.organise import edited, place_after, update_event
from muster.events.limits import EVENT_WRITE
from muster.events.queries import EditableEvent, Visit
from muster.events.rules import LONGEST, Deed, Phase
from muster.events.series import queries
from muster.events.series.making import join_if_possible, make_occurrences, read_template, template_of
from muster.events.series.queries import LockedSeries
from muster.events.series.rules import NoRule, Recurrence, begins_at, check
from muster.events.series.views import EventSeriesView
from muster.kit.arguments import Instant
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Invalid, NotFound
from muster.kit.ids import new_id
from muster.kit.text import camel


class SeriesNotFound(NotFound):
    """There is no such series, or it is not for you."""

    code = "SERIES_NOT_FOUND"


class ComesAgainAlready(Conflict):
    """This event belongs to a series already."""

    code = "COMES_AGAIN_ALREADY"


_OF_EACH = ("starts_at", "ends_at", "timezone", "visibility", "version")
Rule = Annotated[
    str, Meta(max_length=200, examples=["FREQ=WEEKLY;BYDAY=TH"], description="An RRULE of RFC 5545, without that word.")
]
_OF_SERIES = frozenset({"since", "start_time", "minutes", "added"})
_LONGEST = int(LONGEST.total_seconds()) // 60
Added = Annotated[list[Instant], Meta(max_length=100, description="Occurrences beside the rule, of the same length.")]
Excluded = Annotated[list[Instant], Meta(max_length=100, description="Occurrences that do not take place.")]


class UpdateSeriesInput(UpdateEventInput):
    """What changes of all that is to come. What is absent stays as it is.

    version: each event has its own, so that none is taken here. since: the first occurrence that changes, by when it is due;
    absent, all that are to come. start_time: when each begins on its day. minutes: how long each lasts. added: all moments
    beside the rule at which it takes place; they are made within minutes.
    """

    since: Instant | UnsetType = UNSET
    start_time: ClockTime | UnsetType = UNSET
    minutes: Annotated[int, Meta(ge=1, le=_LONGEST)] | UnsetType = UNSET
    added: Added | UnsetType = UNSET


@command(
    "POST /events/{event_id}/series",
    "repeatEvent",
    allow=member,
    permission=EVENT_CREATE,
    limit=EVENT_WRITE,
    answers=(201,),
)
async def repeat(
    ctx: Ctx, *, event_id: UUID, rule: Rule, excluded: Excluded | None = None, added: Added | None = None
) -> EventSeriesView:
    """Have a published event of one's own come again by a rule. It is the first of a series; the others are events like it,
    made ahead of time, each with places and a life of its own.

    Raises EventNotFound, NotOrganiser, NotOwner, NotPublished, ComesAgainAlready, Invalid.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.UPDATE)
    # A series makes events in its owner's name, so nobody else begins one.
    if event.owner_id != ctx.user_id:
        raise NotOwner
    if event.phase(ctx.now) != Phase.PUBLISHED:
        raise NotPublished
    # Who repeats it at the same moment waits for the event's lock.
    if await queries.is_repeated(ctx, event_id):
        raise ComesAgainAlready
    template = await events.editable(ctx, event_id)
    if added and min(added) <= template.starts_at:
        raise Invalid.field("added", "must be after the start of the event")
    recurrence = Recurrence(rule, template.starts_at, template.timezone, frozenset(excluded or ()))
    try:
        check(recurrence)
    except NoRule as error:
        raise Invalid.field("rule", str(error)) from None
    series = LockedSeries(
        id=new_id(),
        owner_id=ctx.user_id,
        rule=rule,
        starts_at=template.starts_at,
        timezone=template.timezone,
        excluded=sorted(recurrence.excluded),
        added=sorted(set(added or ())),
        ends_before=None,
        visibility=template.visibility,
        template=template_of(template),
    )
    await queries.put_series(ctx, series)
    await queries.put_occurrence(ctx, series.id, event_id, series.starts_at)
    await make_occurrences(ctx, series)
    return EventSeriesView.ref(series.id, created=True)


@command("POST /series/{id}/changes", "updateSeries", allow=member, limit=EVENT_WRITE)
async def update_series(ctx: Ctx, *, id: UUID, input: UpdateSeriesInput) -> EventSeriesView:
    """Change all that is to come of a series, and what it makes later. An occurrence keeps what was changed of it alone.

    What has begun keeps its times. Where one occurrence cannot be changed, none is.
    Raises SeriesNotFound, NotOwner, Invalid; for an occurrence EventNotFound, NotOrganiser, EventIsCancelled, TooFewPlaces,
    PlanLimitReached.
    """
    series = await _lock_owned(ctx, id)
    asked = {name: value for name, value in structs.asdict(input).items() if value is not UNSET}
    given = {name: value for name, value in asked.items() if name not in _OF_SERIES}
    if shared := given.keys() & {*_OF_EACH}:
        raise Invalid.field(f"input.{camel(min(shared))}", "cannot be changed of a whole series")
    before = read_template(series)
    change = UpdateEventInput(**given)
    after = _retimed(series, edited(before, change, None, ctx, await place_after(ctx, before, change)), input)
    since = series.starts_at if input.since is UNSET else input.since
    for due in await queries.coming(ctx, id, since):
        now_is = await events.editable(ctx, due.event_id)
        changes = {name: getattr(input, name) for name in given if _is_as_made(now_is, before, name)}
        old, new = (_times(series, due.recurrence_id, each) for each in (before, after))
        if old != new and (now_is.starts_at, now_is.ends_at) == old and now_is.starts_at > ctx.now:
            changes |= {"starts_at": new[0], "ends_at": new[1]}
        if changes:
            await update_event(ctx, id=due.event_id, input=UpdateEventInput(**changes))
    await queries.put_template(ctx, id, template_of(after))
    if input.added is not UNSET:
        await queries.put_added(ctx, id, sorted(set(input.added)))
    return EventSeriesView.ref(id)


@command("POST /series/{id}/cancellation", "cancelSeries", allow=member, limit=EVENT_WRITE)
async def cancel_series(
    ctx: Ctx, *, id: UUID, since: Instant | None = None, reason: Reason | None = None
) -> EventSeriesView:
    """Call off what is to come of a series, and make no more of it; everybody in it is told.

    since: the first occurrence that is called off, by when it is due; absent, all that are to come.
    Raises SeriesNotFound, NotOwner; for an occurrence EventNotFound, NotOrganiser.
    """
    series = await _lock_owned(ctx, id)
    first = max(since or ctx.now, series.starts_at)
    for each in await queries.coming(ctx, id, first):
        await cancel(ctx, id=each.event_id, reason=reason)
    if series.ends_before is None or first < series.ends_before:
        await queries.end_series(ctx, id, first)
    return EventSeriesView.ref(id)


@command("POST /series/{id}/members", "joinSeries", allow=member, limit=EVENT_WRITE)
async def join_series(ctx: Ctx, *, id: UUID) -> EventSeriesView:
    """Join every occurrence that is to come, and those that will be made: each as by `joinEvent`, where one gets in.

    Raises SeriesNotFound.
    """
    # Under the series's lock none is made meanwhile, so that each is joined here or when it is made.
    await _lock_seen(ctx, id)
    await queries.follow(ctx, id)
    coming = await queries.coming(ctx, id, ctx.now)
    await join_if_possible(ctx, [Visit(event_id=each.event_id, user_id=ctx.user_id) for each in coming])
    return EventSeriesView.ref(id)


@command("DELETE /series/{id}/members/me", "leaveSeries", allow=member, limit=EVENT_WRITE)
async def leave_series(ctx: Ctx, *, id: UUID) -> EventSeriesView:
    """Give back one's places in all that is to come of a series, and join none that it makes. Done twice, it is done.

    Raises SeriesNotFound, OwnerStays, and EventIsCancelled for an occurrence that is being called off; then once more.
    """
    await _lock_seen(ctx, id)
    await queries.unfollow(ctx, id)
    coming = [each.event_id for each in await queries.coming(ctx, id, ctx.now)]
    for event_id in await queries.taken_part(ctx, coming):
        await leave(ctx, event_id=event_id)
    return EventSeriesView.ref(id)


async def _lock_seen(ctx: Ctx, series_id: UUID) -> LockedSeries:
    series = await queries.lock_series(ctx, series_id)
    if series is None or not await queries.is_seen(ctx, series_id):
        raise SeriesNotFound
    return series


async def _lock_owned(ctx: Ctx, series_id: UUID) -> LockedSeries:
    series = await _lock_seen(ctx, series_id)
    if series.owner_id != ctx.user_id and not ctx.may(EVENT_MODERATE):
        raise NotOwner
    return series


def _retimed(series: LockedSeries, template: EditableEvent, input: UpdateSeriesInput) -> EditableEvent:
    """The template with the time of day and the length that the input asks for."""
    starts_at, lasts = template.starts_at, template.ends_at - template.starts_at
    if input.start_time is not UNSET:
        zone = ZoneInfo(series.timezone)
        day = series.starts_at.astimezone(zone).date()
        starts_at = datetime.combine(day, time.fromisoformat(input.start_time), zone).astimezone(UTC)
    if input.minutes is not UNSET:
        lasts = timedelta(minutes=input.minutes)
    return structs.replace(template, starts_at=starts_at, ends_at=starts_at + lasts)


def _times(series: LockedSeries, moment: datetime, template: EditableEvent) -> tuple[datetime, datetime]:
    """When the occurrence that is due at a moment begins and ends, as the template has it."""
    starts_at = begins_at(series.recurrence, moment, template.starts_at)
    return starts_at, starts_at + (template.ends_at - template.starts_at)


def _is_as_made(event: EditableEvent, template: EditableEvent, name: str) -> bool:
    return bool(getattr(event, name) == getattr(template, name))

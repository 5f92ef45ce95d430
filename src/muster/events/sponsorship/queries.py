"""SQL that sponsorship needs: what an event's plan is asked of, its book, and who is near."""

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from msgspec import structs
from sqlalchemy import bindparam, distinct, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.events.series.tables import SeriesOccurrence
from muster.events.sponsorship.plans import Movement
from muster.events.sponsorship.tables import SponsorshipEntry, SponsorshipKind
from muster.events.tables import (
    Event,
    EventMember,
    EventMemberRole,
    EventMemberStatus,
    EventPlan,
    EventStatus,
    MeetingKind,
    Visibility,
)
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id
from muster.tenancy.tables import Tenant


class Held(Row):
    """The plan of an event in a community that limits events by their plans, and what of it a plan limits."""

    owner_id: UUID
    plan: EventPlan
    plan_version: int
    max: int | None
    meeting_kind: MeetingKind


class Limited(Row):
    """Whether a community limits events by their plans."""

    limits_events: bool


class Counted(Row):
    """How many there are."""

    number: int


class Sponsored(Row):
    """What sponsorship has to know of an event under its lock, beside the last line of its book."""

    plan: EventPlan
    plan_version: int
    visibility: Visibility
    boosted_until: datetime | None
    has_point: bool


class Line(Row):
    """A line of an event's book, as far as the next one goes on from it."""

    number: int
    boosts_left: int
    pushes_left: int


class Credited(Row):
    """What a source was credited to."""

    event_id: UUID


class Made(Row):
    """The id of a new line."""

    id: UUID


class Last(Row):
    """When something was last spent; None when it never was."""

    at: datetime | None


_EVENT = bindparam("event", type_=Event.id.type)
_LIMITED = Statement(Limited, select(Tenant.limits_events).where(Tenant.id == bindparam("tenant")))
_HELD = Statement(
    Held,
    select(*columns(Held, Event))
    .join(Tenant, Tenant.id == Event.tenant_id)
    .where(Event.id == _EVENT, Tenant.limits_events),
)
_ACTIVE = Statement(
    Counted,
    select(func.count(distinct(func.coalesce(SeriesOccurrence.series_id, Event.id))).label("number"))
    .select_from(Event)
    .outerjoin(SeriesOccurrence, SeriesOccurrence.event_id == Event.id)
    .where(
        Event.owner_id == bindparam("owner", type_=Event.owner_id.type),
        Event.id != _EVENT,
        Event.plan == bindparam("plan", type_=Event.plan.type),
        Event.status.in_((EventStatus.SCHEDULED, EventStatus.PUBLISHED)),
        Event.ends_at > bindparam("moment", type_=Event.ends_at.type),
    ),
)
_MODERATORS = Statement(
    Counted,
    select(func.count().label("number")).where(
        EventMember.event_id == bindparam("event", type_=EventMember.event_id.type),
        EventMember.role == EventMemberRole.MODERATOR,
        EventMember.status == EventMemberStatus.JOINED,
    ),
)
_SPONSORED = Statement(
    Sponsored,
    select(
        Event.plan,
        Event.plan_version,
        Event.visibility,
        Event.boosted_until,
        Event.shown_latitude.is_not(None).label("has_point"),
    ).where(Event.id == _EVENT),
)
_OF_EVENT = SponsorshipEntry.event_id == bindparam("event", type_=SponsorshipEntry.event_id.type)
_LAST_LINE = Statement(
    Line, select(*columns(Line, SponsorshipEntry)).where(_OF_EVENT).order_by(SponsorshipEntry.number.desc()).limit(1)
)
_LAST_PUSH = Statement(
    Last,
    select(func.max(SponsorshipEntry.created_at).label("at")).where(
        _OF_EVENT, SponsorshipEntry.kind == SponsorshipKind.PUSH
    ),
)
_CREDITED = Statement(
    Credited, select(SponsorshipEntry.event_id).where(SponsorshipEntry.source_key == bindparam("source"))
)
# A source that is credited to two events at once: the unique key lets one of them have it.
_PUT = Statement(
    Made,
    insert(SponsorshipEntry)
    .on_conflict_do_nothing(index_elements=["tenant_id", "source_key"])
    .returning(SponsorshipEntry.id),
    insert_keys=(
        *("tenant_id", "id", "event_id", "number", "kind", "plan", "boosts", "pushes", "boosts_left", "pushes_left"),
        *("source_key", "by_id", "created_at"),
    ),
)
_SET_PLAN = Statement(Nothing, update(Event).where(Event.id == _EVENT).values(plan=bindparam("new_plan")))
_BOOST = Statement(Nothing, update(Event).where(Event.id == _EVENT).values(boosted_until=bindparam("until")))


async def is_limited(ctx: Ctx) -> bool:
    """Whether the community limits events by their plans."""
    found = await ctx.db.one(_LIMITED, tenant=ctx.tenant_id)
    return found is not None and found.limits_events


async def held_plan(ctx: Ctx, event_id: UUID) -> Held | None:
    """By which plan an event is limited; None where plans limit nothing."""
    return await ctx.db.one(_HELD, event=event_id)


async def count_active(ctx: Ctx, event_id: UUID, held: Held) -> int:
    """How many other events of its owner on the same plan are published, or to be, and not over."""
    given = {"owner": held.owner_id, "plan": held.plan, "moment": ctx.now}
    found = await ctx.db.one(_ACTIVE, event=event_id, **given)
    return 0 if found is None else found.number


async def count_moderators(ctx: Ctx, event_id: UUID) -> int:
    """How many moderators a locked event has."""
    found = await ctx.db.one(_MODERATORS, event=event_id)
    return 0 if found is None else found.number


async def sponsored(ctx: Ctx, event_id: UUID) -> Sponsored:
    """What sponsorship has to know of a locked event. Raises LookupError for one that is not there."""
    found = await ctx.db.one(_SPONSORED, event=event_id)
    if found is None:
        raise LookupError("the locked event is gone")
    return found


async def last_line(ctx: Ctx, event_id: UUID) -> Line:
    """The last line of a locked event's book; one of nothing before the first."""
    found = await ctx.db.one(_LAST_LINE, event=event_id)
    return found or Line(number=0, boosts_left=0, pushes_left=0)


async def last_push(ctx: Ctx, event_id: UUID) -> datetime | None:
    """When people nearby were last told of a locked event."""
    found = await ctx.db.one(_LAST_PUSH, event=event_id)
    return None if found is None else found.at


async def credited_to(ctx: Ctx, source_key: str) -> UUID | None:
    """To which event a source was credited."""
    found = await ctx.db.one(_CREDITED, source=source_key)
    return None if found is None else found.event_id


async def put_line(
    ctx: Ctx,
    event_id: UUID,
    after: Line,
    kind: SponsorshipKind,
    moved: Movement,
    *,
    source_key: str | None = None,
) -> bool:
    """Write the next line of a locked event's book; False when the source was credited to another event meanwhile."""
    left = Line(
        number=after.number + 1,
        boosts_left=after.boosts_left + moved.boosts,
        pushes_left=after.pushes_left + moved.pushes,
    )
    line = {"kind": kind, **asdict(moved), **structs.asdict(left)}
    row = {"event_id": event_id, "source_key": source_key, "by_id": ctx.actor.user_id, "created_at": ctx.now}
    return await ctx.db.one(_PUT, tenant_id=ctx.tenant_id, id=new_id(), **row, **line) is not None


async def put_plan(ctx: Ctx, event_id: UUID, plan: EventPlan) -> None:
    """Give a locked event a plan."""
    await ctx.db.run(_SET_PLAN, event=event_id, new_plan=plan)


async def put_boost(ctx: Ctx, event_id: UUID, until: datetime) -> None:
    """Have lists show a locked event first until a moment."""
    await ctx.db.run(_BOOST, event=event_id, until=until)

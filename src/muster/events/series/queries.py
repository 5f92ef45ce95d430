"""SQL that series need."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import structs
from sqlalchemy import ARRAY, DateTime, Integer, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.events.rules import ATTENDING
from muster.events.series.predicates import series_visible
from muster.events.series.rules import Recurrence
from muster.events.series.tables import EventSeries, SeriesMember, SeriesOccurrence
from muster.events.tables import Event, EventMember, EventMemberStatus, EventStatus, Visibility
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.db.tables import Json
from muster.kit.ids import new_id
from muster.kit.views.scope import REQUEST_VIEWER
from muster.tenancy.tables import Member, MemberStatus

_PAUSE = timedelta(minutes=50)
"""Since when nobody has looked at a series that is looked at again."""


class LockedSeries(Row):
    """A series under its lock."""

    id: UUID
    owner_id: UUID
    rule: str
    starts_at: datetime
    timezone: str
    excluded: list[datetime]
    added: list[datetime]
    ends_before: datetime | None
    visibility: Visibility
    template: Json

    @property
    def recurrence(self) -> Recurrence:
        """When it takes place."""
        return Recurrence(self.rule, self.starts_at, self.timezone, frozenset(self.excluded), frozenset(self.added))


class Occurrence(Row):
    """An event of a series."""

    event_id: UUID
    recurrence_id: datetime


class EventId(Row):
    """The id of an event."""

    event_id: UUID


class PersonId(Row):
    """The id of a person."""

    user_id: UUID


_MOMENT = DateTime(timezone=True)
_THIS = SeriesOccurrence.series_id == bindparam("series")
_LOCK = Statement(
    LockedSeries,
    select(*columns(LockedSeries, EventSeries)).where(EventSeries.id == bindparam("series")).with_for_update(),
)
_SEEN = Statement(
    PersonId,
    select(EventSeries.owner_id.label("user_id")).where(
        EventSeries.id == bindparam("series"),
        series_visible(
            EventSeries, replace(REQUEST_VIEWER, user_id=bindparam("person", type_=EventSeries.owner_id.type))
        ),
    ),
)
_owner_is_here = (
    select(Member.id).where(Member.user_id == EventSeries.owner_id, Member.status == MemberStatus.ACTIVE).exists()
)
# Whoever has the series makes its occurrences; two workers take different ones.
_TAKE = Statement(
    LockedSeries,
    select(*columns(LockedSeries, EventSeries))
    .where(
        EventSeries.looked_at < bindparam("before", type_=_MOMENT),
        or_(EventSeries.ends_before.is_(None), EventSeries.ends_before > bindparam("moment", type_=_MOMENT)),
        _owner_is_here,
    )
    .order_by(EventSeries.looked_at)
    .limit(bindparam("size", type_=Integer()))
    .with_for_update(skip_locked=True, of=EventSeries),
)
_PUT = insertion(Nothing, EventSeries, "tenant_id", *LockedSeries.__struct_fields__, "created_at", "looked_at")
_PUT_OCCURRENCE = insertion(Nothing, SeriesOccurrence, "tenant_id", "id", "series_id", "event_id", "recurrence_id")
_LOOKED = Statement(
    Nothing, update(EventSeries).where(EventSeries.id == bindparam("series")).values(looked_at=bindparam("moment"))
)
_PUT_TEMPLATE = Statement(
    Nothing,
    update(EventSeries).where(EventSeries.id == bindparam("series")).values(template=bindparam("made_with")),
)
_PUT_ADDED = Statement(
    Nothing,
    update(EventSeries)
    .where(EventSeries.id == bindparam("series"))
    .values(added=bindparam("moments"), looked_at=bindparam("moment")),
)
_END = Statement(
    Nothing, update(EventSeries).where(EventSeries.id == bindparam("series")).values(ends_before=bindparam("end"))
)
_KNOWN = Statement(
    Occurrence,
    select(*columns(Occurrence, SeriesOccurrence)).where(
        _THIS, SeriesOccurrence.recurrence_id == bindparam("moments", type_=ARRAY(_MOMENT)).any_()
    ),
)
_COMING = Statement(
    Occurrence,
    select(*columns(Occurrence, SeriesOccurrence))
    .join(Event, Event.id == SeriesOccurrence.event_id)
    .where(
        _THIS,
        SeriesOccurrence.recurrence_id >= bindparam("since", type_=_MOMENT),
        Event.ends_at > bindparam("moment", type_=_MOMENT),
        Event.status == EventStatus.PUBLISHED,
    )
    .order_by(SeriesOccurrence.event_id),
)
_IN_SERIES = Statement(
    EventId, select(SeriesOccurrence.event_id).where(SeriesOccurrence.event_id == bindparam("event"))
)
_FOLLOW = Statement(
    Nothing,
    insert(SeriesMember).on_conflict_do_nothing(index_elements=["tenant_id", "series_id", "user_id"]),
    insert_keys=("tenant_id", "id", "series_id", "user_id", "joined_at"),
)
_UNFOLLOW = Statement(
    Nothing,
    delete(SeriesMember).where(
        SeriesMember.series_id == bindparam("series"), SeriesMember.user_id == bindparam("person")
    ),
)
# Who has a standing of their own at the occurrence has decided about it.
_own = select(EventMember.id).where(
    EventMember.event_id == bindparam("event"), EventMember.user_id == SeriesMember.user_id
)
_TO_SEAT = Statement(
    PersonId,
    select(SeriesMember.user_id)
    .join(Member, Member.user_id == SeriesMember.user_id)
    .where(SeriesMember.series_id == bindparam("series"), Member.status == MemberStatus.ACTIVE, ~_own.exists())
    .order_by(SeriesMember.joined_at, SeriesMember.id),
)
_TAKEN_PART = Statement(
    EventId,
    select(EventMember.event_id)
    .where(
        EventMember.user_id == bindparam("person"),
        EventMember.event_id == bindparam("events", type_=ARRAY(EventMember.event_id.type)).any_(),
        EventMember.status.in_((*ATTENDING, EventMemberStatus.PENDING)),
    )
    .order_by(EventMember.event_id),
)


async def lock_series(ctx: Ctx, series_id: UUID) -> LockedSeries | None:
    """Lock a series: who joins it meanwhile, and what is made of it, waits."""
    return await ctx.db.one(_LOCK, series=series_id)


async def is_seen(ctx: Ctx, series_id: UUID) -> bool:
    """Whether the acting person sees a series."""
    return await ctx.db.one(_SEEN, series=series_id, person=ctx.user_id) is not None


async def take_series(ctx: Ctx, *, size: int) -> list[LockedSeries]:
    """Lock series that nobody has looked at for a while, and whose owner is still in the community."""
    return await ctx.db.all(_TAKE, before=ctx.now - _PAUSE, moment=ctx.now, size=size)


async def put_series(ctx: Ctx, series: LockedSeries) -> None:
    """Store a new series; nobody else sees it before the transaction ends."""
    await ctx.db.run(_PUT, tenant_id=ctx.tenant_id, created_at=ctx.now, looked_at=ctx.now, **structs.asdict(series))


async def put_occurrence(ctx: Ctx, series_id: UUID, event_id: UUID, recurrence_id: datetime) -> None:
    """Note that an event is an occurrence of a locked series. The unique constraint has each only once."""
    given = {"series_id": series_id, "event_id": event_id, "recurrence_id": recurrence_id}
    await ctx.db.run(_PUT_OCCURRENCE, tenant_id=ctx.tenant_id, id=new_id(), **given)


async def note_look(ctx: Ctx, series_id: UUID) -> None:
    """Note that the occurrences of a locked series are there."""
    await ctx.db.run(_LOOKED, series=series_id, moment=ctx.now)


async def end_series(ctx: Ctx, series_id: UUID, end: datetime) -> None:
    """Have a locked series make no more occurrences from a moment on."""
    await ctx.db.run(_END, series=series_id, end=end)


async def known_among(ctx: Ctx, series_id: UUID, moments: Collection[datetime]) -> set[datetime]:
    """Those of these moments for which a series has made its occurrence."""
    found = await ctx.db.all(_KNOWN, series=series_id, moments=list(moments))
    return {each.recurrence_id for each in found}


async def coming(ctx: Ctx, series_id: UUID, since: datetime) -> list[Occurrence]:
    """The published events of a series that are not over, in the order of ids. since: the first, by the rule."""
    return await ctx.db.all(_COMING, series=series_id, since=since, moment=ctx.now)


async def put_template(ctx: Ctx, series_id: UUID, template: Json) -> None:
    """Have a locked series make its occurrences otherwise from now on."""
    await ctx.db.run(_PUT_TEMPLATE, series=series_id, made_with=template)


async def put_added(ctx: Ctx, series_id: UUID, moments: list[datetime]) -> None:
    """Have a locked series take place at these moments too. The next look at what is due makes them."""
    await ctx.db.run(_PUT_ADDED, series=series_id, moments=moments, moment=ctx.now - _PAUSE)


async def is_repeated(ctx: Ctx, event_id: UUID) -> bool:
    """Whether an event belongs to a series."""
    return await ctx.db.one(_IN_SERIES, event=event_id) is not None


async def follow(ctx: Ctx, series_id: UUID) -> None:
    """Note that the acting person joins whatever a locked series makes."""
    row = {"series_id": series_id, "user_id": ctx.user_id, "joined_at": ctx.now}
    await ctx.db.run(_FOLLOW, tenant_id=ctx.tenant_id, id=new_id(), **row)


async def unfollow(ctx: Ctx, series_id: UUID) -> None:
    """Note that they do not."""
    await ctx.db.run(_UNFOLLOW, series=series_id, person=ctx.user_id)


async def to_seat(ctx: Ctx, series_id: UUID, event_id: UUID) -> list[UUID]:
    """Who joined a series and has nothing to do with one of its events yet, who came first first."""
    return [each.user_id for each in await ctx.db.all(_TO_SEAT, series=series_id, event=event_id)]


async def taken_part(ctx: Ctx, event_ids: Collection[UUID]) -> list[UUID]:
    """Those of these events in which the acting person has a place, waits or asks for one."""
    found = await ctx.db.all(_TAKEN_PART, person=ctx.user_id, events=list(event_ids))
    return [each.event_id for each in found]

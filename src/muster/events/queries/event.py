"""The event's own row: its lock, and what is written to it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.json import decode, encode
from msgspec.structs import replace
from sqlalchemy import ARRAY, Integer, Text, Uuid, any_, bindparam, column, delete, func, null, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.events.rules import Phase, Places, Terms, phase
from muster.events.tables import Event, EventStatus, EventTag, JoinMode, MeetingKind, Mode, Visibility, WaitlistPolicy
from muster.events.topics.predicates import categories_of
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.kit.work.schedule import TenantId
from muster.profiles.tables import Disclosure


class LockedEvent(Row):
    """An event under its lock."""

    id: UUID
    owner_id: UUID
    status: EventStatus
    starts_at: datetime
    ends_at: datetime
    join_mode: JoinMode
    max: int | None
    joined_count: int
    held_count: int
    last_queue_number: int
    waitlist_policy: WaitlistPolicy
    offer_minutes: int | None
    cancelled_at: datetime | None
    version: int
    join_opens_minutes_before_start: int | None
    join_cutoff_minutes_before_start: int | None
    allow_join_late: bool
    late_join_cutoff_minutes_after_start: int | None
    join_closed_at: datetime | None
    may_ask_again: bool
    has_join_form: bool
    publish_at: datetime | None
    promotion_due_at: datetime | None

    def phase(self, now: datetime) -> Phase:
        """Where it is in its life."""
        return phase(self.status, self.ends_at, now)

    @property
    def terms(self) -> Terms:
        """Under which terms it lets people in."""
        return Terms(
            status=self.status,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            join_mode=self.join_mode,
            opens=self.join_opens_minutes_before_start,
            cutoff=self.join_cutoff_minutes_before_start,
            allows_late=self.allow_join_late,
            late_cutoff=self.late_join_cutoff_minutes_after_start,
            is_closed=self.join_closed_at is not None,
            may_ask_again=self.may_ask_again,
        )

    @property
    def places(self) -> Places:
        """How full it is; whether somebody waits is not asked."""
        return Places(taken=self.joined_count, held=self.held_count, max=self.max, policy=self.waitlist_policy)


class EditableEvent(Row):
    """What of an event its organisers may change, and how often they did. has_city_point: whether its point is only the
    middle of its city, found by name.
    """

    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    meeting_kind: MeetingKind
    url: str | None
    online_url: str | None
    address: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    join_mode: JoinMode
    mode: Mode
    min: int
    max: int | None
    visibility: Visibility
    waitlist_policy: WaitlistPolicy
    offer_minutes: int | None
    join_opens_minutes_before_start: int | None
    join_cutoff_minutes_before_start: int | None
    allow_join_late: bool
    late_join_cutoff_minutes_after_start: int | None
    may_ask_again: bool
    notes: str | None
    place: str | None
    place_id: str | None
    radius_km: float | None
    levels: list[str]
    language: str | None
    price: int
    currency: str | None
    cover_url: str | None
    gallery: list[str]
    appearance: str | None
    address_visibility: Disclosure
    members_visibility: Disclosure
    categories: list[str]
    self_check_in_metres: int | None
    tags: list[str]
    version: int
    has_city_point: bool = False


class Owner(Row):
    """Whose event it is."""

    owner_id: UUID


class Outline(Row):
    """What a letter says of an event."""

    title: str
    max: int | None
    status: EventStatus
    starts_at: datetime
    timezone: str
    address_visibility: Disclosure
    place: str | None
    address: str | None
    city: str | None
    country: str | None
    cancel_reason: str | None


_AT_ONCE = 100
"""Events that publish themselves in one transaction."""
_EDITED = tuple(name for name in EditableEvent.__struct_fields__ if name not in ("categories", "tags", "version"))
"""The columns that organisers change."""
_PUT = insertion(
    Nothing,
    Event,
    *("tenant_id", "id", "owner_id", "status", "description_html", *_EDITED),
    *("joined_count", "held_count", "last_queue_number", "created_at", "updated_at", "version"),
)
_PUT_TAGS = Statement(
    Nothing,
    insert(EventTag)
    .from_select(
        ["tenant_id", "id", "event_id", "tag"],
        select(
            bindparam("tenant", type_=Uuid()),
            func.unnest(bindparam("ids", type_=ARRAY(Uuid()))),
            bindparam("event", type_=Uuid()),
            func.lower(func.unnest(bindparam("tags", type_=ARRAY(Text())))),
        ),
    )
    .on_conflict_do_nothing(),
)
_FORGET_TAGS = Statement(Nothing, delete(EventTag).where(EventTag.event_id == bindparam("event")))

_THERE = select(*columns(LockedEvent, Event)).where(Event.id == bindparam("event"), Event.status != EventStatus.DELETED)
_LOOK = Statement(LockedEvent, _THERE)
# Nothing but the row itself is read here: while this waits for the lock, sub-selects would see the past.
_LOCK = Statement(LockedEvent, _THERE.with_for_update(key_share=True))
# In one order, so that no two who lock several wait for each other.
_LOCK_ALL = Statement(
    LockedEvent,
    select(*columns(LockedEvent, Event))
    .where(Event.id == any_(bindparam("events", type_=ARRAY(Uuid()))), Event.status != EventStatus.DELETED)
    .order_by(Event.id)
    .with_for_update(key_share=True),
)
_LOCK_GONE = Statement(
    LockedEvent,
    select(*columns(LockedEvent, Event)).where(Event.id == bindparam("event")).with_for_update(key_share=True),
)
_DUE = Statement(
    LockedEvent,
    select(*columns(LockedEvent, Event))
    .where(Event.status == EventStatus.SCHEDULED, Event.publish_at <= bindparam("moment"))
    .order_by(Event.id)
    .limit(bindparam("size", type_=Integer()))
    .with_for_update(key_share=True, skip_locked=True),
)
_due = func.finders.tenants_with_due_events(bindparam("now", type_=Event.publish_at.type))
TENANTS_WITH_DUE_EVENTS = Statement(
    TenantId, select(_due.table_valued(column("tenant_id", Uuid())).alias("due").c.tenant_id)
)
"""The tenants in which an event is to publish itself, found across all of them."""
_OWNER = Statement(Owner, select(Event.owner_id).where(Event.id == bindparam("event")))
_OUTLINE = Statement(Outline, select(*columns(Outline, Event)).where(Event.id == bindparam("event")))
_TAGS = select(EventTag.tag).where(EventTag.event_id == Event.id).order_by(EventTag.tag).correlate(Event)
_EDITABLE = Statement(
    EditableEvent,
    select(
        *(getattr(Event, name) for name in _EDITED),
        categories_of(Event).label("categories"),
        func.array(_TAGS.scalar_subquery(), type_=ARRAY(Text())).label("tags"),
        Event.version,
    ).where(Event.id == bindparam("event")),
)


def _changing(**values: Any) -> Statement[Nothing]:
    """An update of the locked event by its organisers, which its version counts."""
    changed = update(Event).where(Event.id == bindparam("event"))
    return Statement(Nothing, changed.values(version=Event.version + 1, updated_at=bindparam("moment"), **values))


_CHANGE = _changing()
_EDIT = _changing(
    description_html=func.coalesce(bindparam("html"), Event.description_html),
    **{name: bindparam(f"new_{name}") for name in _EDITED},
)
_PUBLISH = _changing(status=EventStatus.PUBLISHED, published_at=bindparam("moment"), publish_at=null())
_SCHEDULE = _changing(status=EventStatus.SCHEDULED, publish_at=bindparam("later"))
_UNPUBLISH = _changing(status=EventStatus.DRAFT, publish_at=null())
_CANCEL = _changing(status=EventStatus.CANCELLED, cancelled_at=bindparam("moment"), cancel_reason=bindparam("reason"))
_DELETE = _changing(status=EventStatus.DELETED, publish_at=null())
_RESTORE = _changing(status=bindparam("new_status"), cancelled_at=null(), cancel_reason=null())


async def lock_event(ctx: Ctx, event_id: UUID) -> LockedEvent | None:
    """Lock the event's row: it serialises whatever changes the event or its members. None for a deleted one."""
    return await ctx.db.one(_LOCK, event=event_id)


async def look_at_event(ctx: Ctx, event_id: UUID) -> LockedEvent | None:
    """The same row without its lock, for who only reads it: what it says may have changed by the time it is told."""
    return await ctx.db.one(_LOOK, event=event_id)


async def lock_gone_event(ctx: Ctx, event_id: UUID) -> LockedEvent | None:
    """The same for an event that may be deleted."""
    return await ctx.db.one(_LOCK_GONE, event=event_id)


async def lock_events(tx: Transaction, event_ids: Collection[UUID]) -> list[LockedEvent]:
    """The same for several at once."""
    return await tx.all(_LOCK_ALL, events=list(event_ids))


async def owner_of(ctx: Ctx, event_id: UUID) -> UUID | None:
    """Whose event it is."""
    found = await ctx.db.one(_OWNER, event=event_id)
    return None if found is None else found.owner_id


async def outline_of(ctx: Ctx, event_id: UUID, *, deleted: bool = False) -> Outline | None:
    """What there is to say of an event; None when it is gone. deleted: of one that is gone, None when it is not."""
    found = await ctx.db.one(_OUTLINE, event=event_id)
    return None if found is None or (found.status == EventStatus.DELETED) != deleted else found


async def put_event(ctx: Ctx, *, tags: Sequence[str], **values: object) -> UUID:
    """Store a draft of the acting person; answers with its id.

    tags: in any case; doubles are one. values: the other columns that organisers change.
    """
    event_id = new_id()
    await ctx.db.run(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=event_id,
        owner_id=ctx.user_id,
        status=EventStatus.DRAFT,
        joined_count=0,
        held_count=0,
        last_queue_number=0,
        created_at=ctx.now,
        updated_at=ctx.now,
        version=1,
        **values,
    )
    await _put_tags(ctx, event_id, tags)
    return event_id


async def _put_tags(ctx: Ctx, event_id: UUID, tags: Sequence[str]) -> None:
    if tags:
        ids = [new_id() for _ in tags]
        await ctx.db.run(_PUT_TAGS, tenant=ctx.tenant_id, ids=ids, event=event_id, tags=list(tags))


async def editable(ctx: Ctx, event_id: UUID) -> EditableEvent:
    """What of the locked event may be changed, as it is now. Raises LookupError for an event that is not there."""
    found = await ctx.db.one(_EDITABLE, event=event_id)
    if found is None:
        raise LookupError("the locked event is gone")
    # PostgreSQL writes JSON in a form of its own.
    return found if found.appearance is None else replace(found, appearance=as_json(decode(found.appearance)))


def as_json(value: object) -> str:
    """A value as JSON in one form, so that equal values are equal texts."""
    return encode(value, order="sorted").decode()


async def put_edited(ctx: Ctx, event_id: UUID, edited: EditableEvent, *, new_tags: bool, html: str | None) -> None:
    """Store the locked event as edited. new_tags: whether its tags are others than before. html: of a new description."""
    new = {f"new_{name}": getattr(edited, name) for name in _EDITED}
    await ctx.db.run(_EDIT, event=event_id, moment=ctx.now, html=html, **new)
    if new_tags:
        await ctx.db.run(_FORGET_TAGS, event=event_id)
        await _put_tags(ctx, event_id, edited.tags)


async def count_change(ctx: Ctx, event_id: UUID) -> None:
    """Count a change of what belongs to the locked event."""
    await ctx.db.run(_CHANGE, event=event_id, moment=ctx.now)


async def put_published(ctx: Ctx, event_id: UUID) -> None:
    """Publish the locked draft."""
    await ctx.db.run(_PUBLISH, event=event_id, moment=ctx.now)


async def lock_due_events(ctx: Ctx) -> list[LockedEvent]:
    """Lock the events that are to publish themselves by now, some of them; what another has locked waits for next time."""
    return await ctx.db.all(_DUE, moment=ctx.now, size=_AT_ONCE)


async def put_scheduled(ctx: Ctx, event_id: UUID, publish_at: datetime) -> None:
    """Have the locked draft publish itself at a moment."""
    await ctx.db.run(_SCHEDULE, event=event_id, moment=ctx.now, later=publish_at)


async def put_restored(ctx: Ctx, event_id: UUID, status: EventStatus) -> None:
    """Bring the locked event back."""
    await ctx.db.run(_RESTORE, event=event_id, moment=ctx.now, new_status=status)


async def put_unpublished(ctx: Ctx, event_id: UUID) -> None:
    """Make the locked event a draft again."""
    await ctx.db.run(_UNPUBLISH, event=event_id, moment=ctx.now)


async def put_cancelled(ctx: Ctx, event_id: UUID, reason: str | None) -> None:
    """Cancel the locked event."""
    await ctx.db.run(_CANCEL, event=event_id, moment=ctx.now, reason=reason)


async def put_deleted(ctx: Ctx, event_id: UUID) -> None:
    """Delete the locked event: the row stays, and nobody sees it."""
    await ctx.db.run(_DELETE, event=event_id, moment=ctx.now)

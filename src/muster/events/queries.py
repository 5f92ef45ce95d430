"""SQL that the verbs of events need."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, and_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from muster.events.predicates import event_visible
from muster.events.rules import Places, Terms
from muster.events.tables import (
    Event,
    EventMember,
    EventMemberRole,
    EventMemberStatus,
    EventStatus,
    EventTag,
    JoinMode,
)
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, insertion
from muster.kit.ids import new_id
from muster.kit.views.scope import REQUEST_VIEWER


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

    @property
    def terms(self) -> Terms:
        """Under which terms it lets people in."""
        return Terms(self.status, self.ends_at, self.join_mode)


class Standing(Row):
    """How one person stands to a locked event: whether they see it, and their membership if they have one."""

    seen: bool
    has_queue: bool
    member_id: UUID | None
    role: EventMemberRole | None
    status: EventMemberStatus | None


class Owner(Row):
    """Whose event it is."""

    owner_id: UUID


class Title(Row):
    """What an event is called."""

    title: str


class Waiting(Row):
    """The membership at the head of a queue."""

    id: UUID
    user_id: UUID
    role: EventMemberRole


class Number(Row):
    """A place in a queue."""

    last_queue_number: int


_EVENT_KEYS = (
    *("tenant_id", "id", "owner_id", "title", "description", "starts_at", "ends_at", "timezone", "meeting_kind"),
    *("online_url", "address", "latitude", "longitude", "join_mode", "mode", "min", "max", "visibility", "status"),
    *("url", "city", "country", "source", "source_id"),
    *("joined_count", "last_queue_number", "created_at", "updated_at", "version"),
)
_MEMBER_KEYS = ("tenant_id", "id", "event_id", "user_id", "role", "status", "asked_at", "joined_at", "queue_number")
_PUT_EVENT = insertion(Nothing, Event, *_EVENT_KEYS)
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
_PUT_MEMBER = insertion(Nothing, EventMember, *_MEMBER_KEYS)

# Nothing but the row itself is read here: while this waits for the lock, sub-selects would see the past.
_LOCK_EVENT = Statement(
    LockedEvent,
    select(*(getattr(Event, name) for name in LockedEvent.__struct_fields__))
    .where(Event.id == bindparam("event"))
    .with_for_update(key_share=True),
)

_TITLE = Statement(Title, select(Event.title).where(Event.id == bindparam("event")))
_OWNER = Statement(Owner, select(Event.owner_id).where(Event.id == bindparam("event")))

_in_queue = aliased(EventMember)
_QUEUE = select(_in_queue.id).where(_in_queue.event_id == Event.id, _in_queue.queue_number.is_not(None))
_STANDING = Statement(
    Standing,
    select(
        event_visible(Event, REQUEST_VIEWER).label("seen"),
        _QUEUE.correlate(Event).exists().label("has_queue"),
        EventMember.id.label("member_id"),
        EventMember.role,
        EventMember.status,
    )
    .select_from(Event)
    .outerjoin(EventMember, and_(EventMember.event_id == Event.id, EventMember.user_id == REQUEST_VIEWER.user_id))
    .where(Event.id == bindparam("event")),
)
_HEAD_OF_QUEUE = Statement(
    Waiting,
    select(EventMember.id, EventMember.user_id, EventMember.role)
    .where(EventMember.event_id == bindparam("event"), EventMember.queue_number.is_not(None))
    .order_by(EventMember.queue_number)
    .limit(1),
)
_NEXT_NUMBER = Statement(
    Number,
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(last_queue_number=Event.last_queue_number + 1)
    .returning(Event.last_queue_number),
)
_COUNT_SEATS = Statement(
    Nothing,
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(joined_count=Event.joined_count + bindparam("change", type_=Event.joined_count.type)),
)
_PUBLISH = Statement(
    Nothing,
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(status=EventStatus.PUBLISHED, published_at=bindparam("moment")),
)
_ENTER = Statement(
    Nothing,
    update(EventMember)
    .where(EventMember.id == bindparam("member"))
    .values(
        status=bindparam("new_status"),
        role=EventMemberRole.PARTICIPANT,
        asked_at=func.coalesce(bindparam("asked", type_=EventMember.asked_at.type), EventMember.asked_at),
        joined_at=bindparam("joined"),
        queue_number=bindparam("number"),
    ),
)
_DEPART = Statement(
    Nothing,
    update(EventMember)
    .where(EventMember.id == bindparam("member"))
    .values(status=bindparam("new_status"), queue_number=None, note=bindparam("remark")),
)


async def lock_event(ctx: Ctx, event_id: UUID) -> LockedEvent | None:
    """Lock the event's row: it serialises join, leave, kick, promotion and publication."""
    return await ctx.db.one(_LOCK_EVENT, event=event_id)


async def owner_of(ctx: Ctx, event_id: UUID) -> UUID | None:
    """Whose event it is."""
    found = await ctx.db.one(_OWNER, event=event_id)
    return None if found is None else found.owner_id


async def title_of(ctx: Ctx, event_id: UUID) -> str | None:
    """What an event is called; None when it is gone."""
    found = await ctx.db.one(_TITLE, event=event_id)
    return None if found is None else found.title


async def standing(ctx: Ctx, event_id: UUID, user_id: UUID) -> Standing | None:
    """How a person stands to an event, read after its lock is held."""
    return await ctx.db.one(_STANDING, event=event_id, viewer=user_id)


def places(event: LockedEvent, *, has_queue: bool) -> Places:
    """How full the locked event is."""
    return Places(taken=event.joined_count, waiting=int(has_queue), max=event.max)


async def put_event(
    ctx: Ctx, *, tags: Sequence[str], source: str | None = None, source_id: str | None = None, **values: object
) -> UUID:
    """Store a draft of the acting person; answers with its id.

    tags: in any case; doubles are one. source, source_id: where it is imported from. values: the other columns.
    """
    event_id = new_id()
    await ctx.db.run(
        _PUT_EVENT,
        tenant_id=ctx.tenant_id,
        id=event_id,
        owner_id=ctx.user_id,
        status=EventStatus.DRAFT,
        source=source,
        source_id=source_id,
        joined_count=0,
        last_queue_number=0,
        created_at=ctx.now,
        updated_at=ctx.now,
        version=1,
        **values,
    )
    await put_tags(ctx, event_id, tags)
    return event_id


async def put_tags(ctx: Ctx, event_id: UUID, tags: Sequence[str]) -> None:
    """Give an event further tags, in small letters."""
    if tags:
        ids = [new_id() for _ in tags]
        await ctx.db.run(_PUT_TAGS, tenant=ctx.tenant_id, ids=ids, event=event_id, tags=list(tags))


async def put_seated(ctx: Ctx, event_id: UUID, *, role: EventMemberRole, member_id: UUID | None = None) -> UUID:
    """Give the acting person a place under the event's lock; answers with the membership's id."""
    await ctx.db.run(_COUNT_SEATS, event=event_id, change=1)
    return await _put_member(ctx, event_id, member_id, role=role, status=EventMemberStatus.JOINED, joined_at=ctx.now)


async def put_waiting(ctx: Ctx, event_id: UUID, *, member_id: UUID | None) -> UUID:
    """Put the acting person at the tail of the queue under the event's lock; answers with the membership's id."""
    taken = await ctx.db.one(_NEXT_NUMBER, event=event_id)
    if taken is None:
        raise LookupError("the locked event is gone")
    number = taken.last_queue_number
    return await _put_member(ctx, event_id, member_id, status=EventMemberStatus.WAITLIST, queue_number=number)


async def _put_member(
    ctx: Ctx,
    event_id: UUID,
    member_id: UUID | None,
    *,
    status: EventMemberStatus,
    role: EventMemberRole = EventMemberRole.PARTICIPANT,
    joined_at: datetime | None = None,
    queue_number: int | None = None,
) -> UUID:
    """Make a membership, or bring the one that the person left back to life."""
    if member_id is not None:
        await ctx.db.run(
            _ENTER, member=member_id, new_status=status, asked=ctx.now, joined=joined_at, number=queue_number
        )
        return member_id
    made = new_id()
    await ctx.db.run(
        _PUT_MEMBER,
        tenant_id=ctx.tenant_id,
        id=made,
        event_id=event_id,
        user_id=ctx.user_id,
        role=role,
        status=status,
        asked_at=ctx.now,
        joined_at=joined_at,
        queue_number=queue_number,
    )
    return made


async def take_head_of_queue(ctx: Ctx, event_id: UUID) -> Waiting | None:
    """Seat who waits longest, under the event's lock; None when nobody waits."""
    head = await ctx.db.one(_HEAD_OF_QUEUE, event=event_id)
    if head is not None:
        await ctx.db.run(_COUNT_SEATS, event=event_id, change=1)
        await ctx.db.run(
            _ENTER, member=head.id, new_status=EventMemberStatus.JOINED, asked=None, joined=ctx.now, number=None
        )
    return head


async def put_departed(
    ctx: Ctx,
    event_id: UUID,
    *,
    member_id: UUID,
    was: EventMemberStatus,
    now_is: EventMemberStatus,
    note: str | None = None,
) -> None:
    """Take somebody's place or their turn in the queue, under the event's lock."""
    if was == EventMemberStatus.JOINED:
        await ctx.db.run(_COUNT_SEATS, event=event_id, change=-1)
    await ctx.db.run(_DEPART, member=member_id, new_status=now_is, remark=note)


async def put_published(ctx: Ctx, event_id: UUID) -> None:
    """Publish the locked draft."""
    await ctx.db.run(_PUBLISH, event=event_id, moment=ctx.now)

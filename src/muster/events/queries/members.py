"""Who takes part in an event: seats, the queue, and who goes. All of it is written under the event's lock."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from muster.events.predicates import event_visible
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement
from muster.kit.ids import new_id
from muster.kit.views.scope import REQUEST_VIEWER


class Standing(Row):
    """How one person stands to a locked event: whether they see it, and their membership if they have one."""

    seen: bool
    has_queue: bool
    member_id: UUID | None
    role: EventMemberRole | None
    status: EventMemberStatus | None


class Membership(Row):
    """The id of a membership."""

    id: UUID


class Promoted(Row):
    """Who waited and has a place now: their membership, and they."""

    id: UUID
    user_id: UUID


class Attendee(Row):
    """Somebody who attends."""

    user_id: UUID


class Found(Row):
    """Whether there is such a row."""

    found: bool


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

_THIS_EVENT = Event.id == bindparam("event", type_=Event.id.type)


def _counted(change: Any) -> CTE:
    """The event's counter, changed in the same statement as the seats that it counts."""
    return update(Event).where(_THIS_EVENT).values(joined_count=Event.joined_count + change).cte("counted")


def _entry(status: EventMemberStatus, *, joined_at: Any, queue_number: Any) -> Any:
    """A membership made, or the one that the person left brought back to life; answers with its id."""
    given = {
        name: bindparam(f"new_{name}", type_=getattr(EventMember, name).type)
        for name in ("tenant_id", "id", "event_id", "user_id", "role", "asked_at")
    }
    changing = {"status": literal(status, Text()), "joined_at": joined_at, "queue_number": queue_number}
    row = {**given, **changing}
    made = insert(EventMember).from_select([*row], select(*row.values()))
    again = {name: made.excluded[name] for name in ("role", "asked_at", *changing)}
    kept = made.on_conflict_do_update(index_elements=["tenant_id", "event_id", "user_id"], set_=again)
    return kept.returning(EventMember.id)


_number = (
    update(Event)
    .where(_THIS_EVENT)
    .values(last_queue_number=Event.last_queue_number + 1)
    .returning(Event.last_queue_number)
    .cte("number")
)
_SEAT = Statement(
    Membership,
    _entry(
        EventMemberStatus.JOINED,
        joined_at=bindparam("new_asked_at", type_=EventMember.joined_at.type),
        queue_number=null(),
    ).add_cte(_counted(1)),
)
_WAIT = Statement(
    Membership, _entry(EventMemberStatus.WAITLIST, joined_at=null(), queue_number=_number.c.last_queue_number)
)

_heads = (
    select(EventMember.id, EventMember.queue_number)
    .where(EventMember.event_id == bindparam("event"), EventMember.queue_number.is_not(None))
    .order_by(EventMember.queue_number)
    .limit(bindparam("places", type_=Integer()))
    .cte("heads")
)
_seated = (
    update(EventMember)
    .where(EventMember.id == _heads.c.id)
    .values(
        status=EventMemberStatus.JOINED,
        role=EventMemberRole.PARTICIPANT,
        joined_at=bindparam("moment"),
        queue_number=null(),
    )
    .returning(EventMember.id, EventMember.user_id, _heads.c.queue_number)
    .cte("seated")
)
_SEAT_HEADS = Statement(
    Promoted,
    select(_seated.c.id, _seated.c.user_id)
    .order_by(_seated.c.queue_number)
    .add_cte(_counted(select(func.count()).select_from(_seated).scalar_subquery())),
)

_DEPART = (
    update(EventMember)
    .where(EventMember.id == bindparam("member"))
    .values(status=bindparam("new_status"), queue_number=null(), note=bindparam("remark"))
)
_GIVE_UP_SEAT = Statement(Nothing, _DEPART.add_cte(_counted(-1)))
_GIVE_UP_TURN = Statement(Nothing, _DEPART)
_SET_ROLE = Statement(
    Nothing, update(EventMember).where(EventMember.id == bindparam("member")).values(role=bindparam("new_role"))
)


_AFTER = Statement(
    Attendee,
    select(EventMember.user_id)
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.user_id > bindparam("after", type_=EventMember.user_id.type),
        EventMember.status == any_(bindparam("statuses", type_=ARRAY(Text()))),
    )
    .order_by(EventMember.user_id)
    .limit(bindparam("size", type_=Integer())),
)


def _is_there(*conditions: ColumnElement[bool]) -> Statement[Found]:
    membership = select(EventMember.id).where(EventMember.event_id == bindparam("event"), *conditions)
    return Statement(Found, select(membership.exists().label("found")))


_HAS_GUESTS = _is_there(
    or_(
        EventMember.status == EventMemberStatus.WAITLIST,
        and_(EventMember.status == EventMemberStatus.JOINED, EventMember.role == EventMemberRole.PARTICIPANT),
    )
)
_HAD_MEMBERS = _is_there(EventMember.role != EventMemberRole.OWNER)


async def standing(ctx: Ctx, event_id: UUID, user_id: UUID) -> Standing | None:
    """How a person stands to an event, read after its lock is held."""
    return await ctx.db.one(_STANDING, event=event_id, viewer=user_id)


async def put_seated(ctx: Ctx, event_id: UUID, *, role: EventMemberRole) -> UUID:
    """Give the acting person a place; answers with the membership's id."""
    return await _enter(ctx, _SEAT, event_id, role)


async def put_waiting(ctx: Ctx, event_id: UUID) -> UUID:
    """Put the acting person at the tail of the queue; answers with the membership's id."""
    return await _enter(ctx, _WAIT, event_id, EventMemberRole.PARTICIPANT)


async def _enter(ctx: Ctx, statement: Statement[Membership], event_id: UUID, role: EventMemberRole) -> UUID:
    entered = await ctx.db.one(
        statement,
        event=event_id,
        new_tenant_id=ctx.tenant_id,
        new_id=new_id(),
        new_event_id=event_id,
        new_user_id=ctx.user_id,
        new_role=role,
        new_asked_at=ctx.now,
    )
    if entered is None:
        raise LookupError("the locked event is gone")
    return entered.id


async def seat_from_queue(ctx: Ctx, event_id: UUID, places: int | None) -> list[Promoted]:
    """Seat who wait longest; answers with them in their order. places: how many at most; None is all."""
    return await ctx.db.all(_SEAT_HEADS, event=event_id, places=places, moment=ctx.now)


async def put_departed(
    ctx: Ctx,
    event_id: UUID,
    *,
    member_id: UUID,
    was: EventMemberStatus,
    now_is: EventMemberStatus,
    note: str | None = None,
) -> None:
    """Take somebody's place or their turn in the queue."""
    departure = {"member": member_id, "new_status": now_is, "remark": note}
    if was == EventMemberStatus.JOINED:
        await ctx.db.run(_GIVE_UP_SEAT, event=event_id, **departure)
    else:
        await ctx.db.run(_GIVE_UP_TURN, **departure)


async def put_role(ctx: Ctx, *, member_id: UUID, role: EventMemberRole) -> None:
    """Give a member another role."""
    await ctx.db.run(_SET_ROLE, member=member_id, new_role=role)


async def members_after(
    ctx: Ctx, event_id: UUID, statuses: Collection[EventMemberStatus], after: UUID, *, size: int
) -> list[UUID]:
    """The next people with one of these standings, by their ids. after: the last one known. size: how many at most."""
    found = await ctx.db.all(_AFTER, event=event_id, after=after, statuses=list(statuses), size=size)
    return [each.user_id for each in found]


async def has_guests(ctx: Ctx, event_id: UUID) -> bool:
    """Whether anybody outside its team has a place in the event or waits for one."""
    answer = await ctx.db.one(_HAS_GUESTS, event=event_id)
    return answer is not None and answer.found


async def had_members(ctx: Ctx, event_id: UUID) -> bool:
    """Whether anybody but its owner ever had a membership of the event."""
    answer = await ctx.db.one(_HAD_MEMBERS, event=event_id)
    return answer is not None and answer.found

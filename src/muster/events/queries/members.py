"""Who takes part in an event: seats, the queue, and who goes. All of it is written under the event's lock."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    func,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from muster.events.predicates import event_visible
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.identity.predicates import has_blocked
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, given
from muster.kit.views.scope import REQUEST_VIEWER


class Standing(Row):
    """How one person stands to a locked event: whether they see it, and their membership if they have one.

    is_blocked: the owner has blocked them. reject_reason: what they were told when they were rejected.
    """

    event_id: UUID
    user_id: UUID
    seen: bool
    has_queue: bool
    is_blocked: bool
    member_id: UUID | None
    role: EventMemberRole | None
    status: EventMemberStatus | None
    asked_number: int | None
    reject_reason: str | None


class Visit(NamedTuple):
    """Somebody at an event."""

    event_id: UUID
    user_id: UUID


class Promoted(Row):
    """Who waited and has a place now: their membership, and they."""

    id: UUID
    user_id: UUID


class Attendee(Row):
    """Somebody who attends."""

    user_id: UUID


class AttendedId(Row):
    """An event that somebody is in."""

    event_id: UUID


class Found(Row):
    """Whether there is such a row."""

    found: bool


_in_queue = aliased(EventMember)
_QUEUE = select(_in_queue.id).where(_in_queue.event_id == Event.id, _in_queue.queue_number.is_not(None))
_visit = given(event=Uuid(), person=Uuid())
_STANDINGS = Statement(
    Standing,
    select(
        _visit.c.event.label("event_id"),
        _visit.c.person.label("user_id"),
        event_visible(Event, replace(REQUEST_VIEWER, user_id=_visit.c.person)).label("seen"),
        _QUEUE.correlate(Event).exists().label("has_queue"),
        has_blocked(Event.owner_id, _visit.c.person).label("is_blocked"),
        EventMember.id.label("member_id"),
        EventMember.role,
        EventMember.status,
        EventMember.asked_number,
        EventMember.reject_reason,
    )
    .select_from(_visit)
    .join(Event, Event.id == _visit.c.event)
    .outerjoin(EventMember, and_(EventMember.event_id == Event.id, EventMember.user_id == _visit.c.person)),
)

_THIS_EVENT = Event.id == bindparam("event", type_=Event.id.type)


def _counted(change: Any) -> CTE:
    """The event's counter, changed in the same statement as the seats that it counts."""
    return update(Event).where(_THIS_EVENT).values(joined_count=Event.joined_count + change).cte("counted")


_come = given(event=Uuid(), number=EventMember.queue_number.type)
_more = (
    select(
        _come.c.event,
        (func.count() - func.count(_come.c.number)).label("seated"),
        func.max(_come.c.number).label("last_number"),
    )
    .group_by(_come.c.event)
    .subquery("more")
)
# Who takes a place draws no number. Who asked before draws none again, so the last one may be higher than theirs.
_COUNT = Statement(
    Nothing,
    update(Event)
    .where(Event.id == _more.c.event)
    .values(
        joined_count=Event.joined_count + _more.c.seated,
        last_queue_number=func.greatest(_more.c.last_number, Event.last_queue_number),
    ),
)
_OF_ENTRY = ("role", "status", "asked_at", "joined_at", "queue_number", "asked_number", "answers")
_ENTRY = ("tenant_id", "id", "event_id", "user_id", *_OF_ENTRY)
_made = insert(EventMember).from_select(
    _ENTRY, select(given(**{name: getattr(EventMember, name).type for name in _ENTRY}))
)
# A membership that the person left comes back to life.
_ENTER = Statement(
    Nothing,
    _made.on_conflict_do_update(
        index_elements=["tenant_id", "event_id", "user_id"],
        set_={name: _made.excluded[name] for name in _OF_ENTRY},
    ),
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
    .values(
        status=bindparam("new_status"),
        queue_number=null(),
        note=func.coalesce(bindparam("remark", type_=Text()), EventMember.note),
    )
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


_PRESENT = (
    *(EventMemberStatus.JOINED, EventMemberStatus.WAITLIST),
    *(EventMemberStatus.PENDING, EventMemberStatus.INVITED),
)
_ATTENDED_AFTER = Statement(
    AttendedId,
    select(EventMember.event_id)
    .where(
        EventMember.user_id == bindparam("person"),
        EventMember.status.in_(_PRESENT),
        EventMember.event_id > bindparam("after", type_=EventMember.event_id.type),
    )
    .order_by(EventMember.event_id)
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
    found = await standings(ctx.db, [Visit(event_id=event_id, user_id=user_id)])
    return found[0] if found else None


async def standings(tx: Transaction, visits: Collection[Visit]) -> list[Standing]:
    """How people stand to events, read after their locks are held; of those that are there, in no order."""
    events, people = [each.event_id for each in visits], [each.user_id for each in visits]
    return await tx.all(_STANDINGS, event=events, person=people)


def put_seated(ctx: Ctx, event_id: UUID, *, member_id: UUID, role: EventMemberRole, answers: str | None = None) -> None:
    """Give the acting person a place. member_id: of the membership they have had, or a new one."""
    _enter(ctx, event_id, member_id, role, EventMemberStatus.JOINED, joined_at=ctx.now, answers=answers)


def put_waiting(ctx: Ctx, event_id: UUID, *, member_id: UUID, number: int, answers: str | None = None) -> None:
    """Put the acting person into the queue. number: the next one of the locked event, or the one they drew before."""
    _enter(
        ctx,
        event_id,
        member_id,
        EventMemberRole.PARTICIPANT,
        EventMemberStatus.WAITLIST,
        number=number,
        answers=answers,
    )


def put_asking(ctx: Ctx, event_id: UUID, *, member_id: UUID, number: int, answers: str | None = None) -> None:
    """Have the acting person ask to be let in. number: the next one of the locked event, which they keep."""
    _enter(
        ctx, event_id, member_id, EventMemberRole.PARTICIPANT, EventMemberStatus.PENDING, number=number, answers=answers
    )


def _enter(
    ctx: Ctx,
    event_id: UUID,
    member_id: UUID,
    role: EventMemberRole,
    status: EventMemberStatus,
    *,
    joined_at: datetime | None = None,
    number: int | None = None,
    answers: str | None = None,
) -> None:
    ctx.write(_COUNT, event=event_id, number=number)
    ctx.write(
        _ENTER,
        tenant_id=ctx.tenant_id,
        id=member_id,
        event_id=event_id,
        user_id=ctx.user_id,
        role=role,
        status=status,
        asked_at=ctx.now,
        joined_at=joined_at,
        queue_number=number if status == EventMemberStatus.WAITLIST else None,
        asked_number=number if status == EventMemberStatus.PENDING else None,
        answers=answers,
    )


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


_ORGANISERS = Statement(
    Attendee,
    select(EventMember.user_id)
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.status == EventMemberStatus.JOINED,
        EventMember.role.in_((EventMemberRole.OWNER, EventMemberRole.MODERATOR)),
    )
    .order_by(EventMember.user_id),
)


async def organisers_of(ctx: Ctx, event_id: UUID) -> list[UUID]:
    """Who runs an event."""
    return [each.user_id for each in await ctx.db.all(_ORGANISERS, event=event_id)]


async def attended_after(ctx: Ctx, user_id: UUID, after: UUID | None, *, size: int) -> list[UUID]:
    """The next events that a person has a place in or waits for, by their ids. after: the last one known."""
    found = await ctx.db.all(_ATTENDED_AFTER, person=user_id, after=after or UUID(int=0), size=size)
    return [each.event_id for each in found]


async def has_guests(ctx: Ctx, event_id: UUID) -> bool:
    """Whether anybody outside its team has a place in the event or waits for one."""
    answer = await ctx.db.one(_HAS_GUESTS, event=event_id)
    return answer is not None and answer.found


async def had_members(ctx: Ctx, event_id: UUID) -> bool:
    """Whether anybody but its owner ever had a membership of the event."""
    answer = await ctx.db.one(_HAD_MEMBERS, event=event_id)
    return answer is not None and answer.found

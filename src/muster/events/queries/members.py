"""Who takes part in an event: seats, the queue, and who goes. All of it is written under the event's lock."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    delete,
    func,
    null,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from muster.events.ownership.tables import EventOwnershipOffer
from muster.events.predicates import event_visible
from muster.events.rules import ALONE, CONCERNED, ORGANISERS, Party
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.identity.predicates import has_blocked
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, given
from muster.kit.views.scope import REQUEST_VIEWER
from muster.tenancy.tables import Member, MemberStatus


class Standing(Row):
    """How one person stands to a locked event: whether they see it, and their membership if they have one.

    is_blocked: the owner has blocked them. smallest_waiting: the size of the smallest party in its queue that is offered
    no place. first_waiting: of who asked, the lowest number in its queue of whom it could ever seat. reject_reason: what they were told when they were rejected.
    """

    event_id: UUID
    user_id: UUID
    seen: bool
    smallest_waiting: int | None
    is_blocked: bool
    member_id: UUID | None
    role: EventMemberRole | None
    status: EventMemberStatus | None
    asked_number: int | None
    first_waiting: int | None
    reject_reason: str | None
    party_size: int | None
    guest_names: str | None
    offer_expires_at: datetime | None

    @property
    def party(self) -> Party:
        """Who comes under their name, as they last said."""
        return Party(self.party_size or 1, self.guest_names)

    def asked_before(self, first_waiting: int | None) -> bool:
        """Whether they asked, and before anybody came who waits. first_waiting: the lowest number of these."""
        asked = self.asked_number if self.status == EventMemberStatus.PENDING else None
        return asked is not None and (first_waiting is None or asked < first_waiting)


class Visit(NamedTuple):
    """Somebody at an event."""

    event_id: UUID
    user_id: UUID


class Attendee(Row):
    """Somebody who attends."""

    user_id: UUID


class Recipient(Row):
    """Who is to be told of an event, and whether by mail too."""

    user_id: UUID
    by_mail: bool


class AttendedId(Row):
    """An event that somebody is in."""

    event_id: UUID


class Found(Row):
    """Whether there is such a row."""

    found: bool


_in_queue = aliased(EventMember)
_SMALLEST = select(func.min(_in_queue.party_size)).where(
    _in_queue.event_id == Event.id, _in_queue.queue_number.is_not(None), _in_queue.offer_expires_at.is_(None)
)
_FIRST = select(func.min(_in_queue.queue_number)).where(
    _in_queue.event_id == Event.id,
    _in_queue.queue_number.is_not(None),
    _in_queue.offer_expires_at.is_(None),
    or_(Event.max.is_(None), _in_queue.party_size <= func.greatest(1, Event.max - 1)),
)
_visit = given(event=Uuid(), person=Uuid())
_standing = (
    select(
        _visit.c.event.label("event_id"),
        _visit.c.person.label("user_id"),
        event_visible(Event, replace(REQUEST_VIEWER, user_id=_visit.c.person)).label("seen"),
        _SMALLEST.correlate(Event).scalar_subquery().label("smallest_waiting"),
        has_blocked(Event.owner_id, _visit.c.person).label("is_blocked"),
        EventMember.id.label("member_id"),
        EventMember.role,
        EventMember.status,
        EventMember.asked_number,
        case((EventMember.status == EventMemberStatus.PENDING, _FIRST.correlate(Event).scalar_subquery())).label(
            "first_waiting"
        ),
        EventMember.reject_reason,
        EventMember.party_size,
        EventMember.guest_names,
        EventMember.offer_expires_at,
    )
    .select_from(_visit)
    .join(Event, Event.id == _visit.c.event)
    .outerjoin(EventMember, and_(EventMember.event_id == Event.id, EventMember.user_id == _visit.c.person))
)
_STANDINGS = Statement(Standing, _standing)
# Against every change of these rows: who leaves the community waits for those who come into its events, and is then found
# in them and taken out; who comes after them is no member any more. In one order, as everybody who holds several.
_held = (
    select(Member.user_id)
    .where(Member.user_id == any_(bindparam("person", type_=ARRAY(Uuid()))), Member.status == MemberStatus.ACTIVE)
    .order_by(Member.user_id)
    .with_for_update(read=True)
    .cte("held")
)
_HELD_STANDINGS = Statement(Standing, _standing.join(_held, _held.c.user_id == _visit.c.person))

_event = bindparam("event", type_=Event.id.type)
_THIS_EVENT = Event.id == _event

_come = given(event=Uuid(), number=EventMember.queue_number.type, heads=EventMember.party_size.type)
_more = (
    select(
        _come.c.event,
        cast(func.sum(case((_come.c.number.is_(None), _come.c.heads), else_=0)), BigInteger()).label("seated"),
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
_OF_ENTRY = (
    *("role", "status", "asked_at", "joined_at", "queue_number", "asked_number", "answers"),
    *("party_size", "guest_names", "offer_expires_at"),
)
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

_person = bindparam("person", type_=EventMember.user_id.type)
# Nobody owns an event that they are not in, so an offer of it ends with the membership.
_ended = (
    delete(EventOwnershipOffer)
    .where(EventOwnershipOffer.event_id == _event, EventOwnershipOffer.user_id == _person)
    .returning(EventOwnershipOffer.id)
    .cte("ended")
)
_DEPART = (
    update(EventMember)
    .where(EventMember.event_id == _event, EventMember.user_id == _person)
    .values(
        status=bindparam("new_status"),
        queue_number=null(),
        offer_expires_at=null(),
        note=func.coalesce(bindparam("remark", type_=Text()), EventMember.note),
    )
    .returning(select(_ended.c.id).exists().label("found"))
)
_freed = (
    update(Event)
    .where(_THIS_EVENT)
    .values(
        joined_count=Event.joined_count - bindparam("seats", type_=Event.joined_count.type),
        held_count=Event.held_count - bindparam("held", type_=Event.held_count.type),
    )
)
# The counters change in the statement that changes what they count.
_GIVE_UP_PLACES = Statement(Found, _DEPART.add_cte(_freed.cte("freed")))
_GIVE_UP_TURN = Statement(Found, _DEPART)
_SET_ROLE = Statement(
    Nothing, update(EventMember).where(EventMember.id == bindparam("member")).values(role=bindparam("new_role"))
)


_AFTER = Statement(
    Recipient,
    select(EventMember.user_id, true().label("by_mail"))
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.user_id > bindparam("after", type_=EventMember.user_id.type),
        EventMember.status == any_(bindparam("statuses", type_=ARRAY(Text()))),
    )
    .order_by(EventMember.user_id)
    .limit(bindparam("size", type_=Integer())),
)


_ATTENDED_AFTER = Statement(
    AttendedId,
    select(EventMember.event_id)
    .where(
        EventMember.user_id == bindparam("person"),
        EventMember.status.in_(CONCERNED),
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
    return await tx.all(_STANDINGS, **_asked(visits))


async def held_standings(tx: Transaction, visits: Collection[Visit]) -> list[Standing]:
    """The same of who is a member of the community, and stays one until the transaction ends."""
    return await tx.all(_HELD_STANDINGS, **_asked(visits))


def _asked(visits: Collection[Visit]) -> dict[str, list[UUID]]:
    return {"event": [each.event_id for each in visits], "person": [each.user_id for each in visits]}


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Somebody who comes in.

    member_id: of the membership they have had, or a new one. status: JOINED, WAITLIST or PENDING. number: the next one of
    the locked event for who waits or asks, or the one they drew before; None for who gets a place. answers: to the join
    form, as JSON.
    """

    event_id: UUID
    user_id: UUID
    member_id: UUID
    role: EventMemberRole = EventMemberRole.PARTICIPANT
    party: Party = ALONE
    status: EventMemberStatus = EventMemberStatus.JOINED
    number: int | None = None
    answers: str | None = None


def put_entry(ctx: Ctx, entry: Entry) -> None:
    """Let somebody in: to their places, into the queue, or to ask."""
    is_seated = entry.status == EventMemberStatus.JOINED
    ctx.write(_COUNT, event=entry.event_id, number=entry.number, heads=entry.party.size)
    ctx.write(
        _ENTER,
        tenant_id=ctx.tenant_id,
        id=entry.member_id,
        event_id=entry.event_id,
        user_id=entry.user_id,
        role=entry.role,
        status=entry.status,
        asked_at=ctx.now,
        joined_at=ctx.now if is_seated else None,
        queue_number=entry.number if entry.status == EventMemberStatus.WAITLIST else None,
        asked_number=entry.number if entry.status == EventMemberStatus.PENDING else None,
        answers=entry.answers,
        party_size=entry.party.size,
        guest_names=entry.party.guest_names,
        offer_expires_at=None,
    )


async def put_departed(
    ctx: Ctx,
    visit: Visit,
    *,
    seats: int,
    held: int,
    now_is: EventMemberStatus,
    note: str | None = None,
) -> bool:
    """Take a party's places or their turn in the queue; answers whether they had been offered to own the event.

    seats, held: the places they had, and those offered to them.
    """
    departure = {"event": visit.event_id, "person": visit.user_id, "new_status": now_is, "remark": note}
    if seats or held:
        found = await ctx.db.one(_GIVE_UP_PLACES, seats=seats, held=held, **departure)
    else:
        found = await ctx.db.one(_GIVE_UP_TURN, **departure)
    return found is not None and found.found


async def put_role(ctx: Ctx, *, member_id: UUID, role: EventMemberRole) -> None:
    """Give a member another role."""
    await ctx.db.run(_SET_ROLE, member=member_id, new_role=role)


async def members_after(
    ctx: Ctx, event_id: UUID, statuses: Collection[EventMemberStatus], after: UUID, *, size: int
) -> list[Recipient]:
    """The next people with one of these standings, by their ids. after: the last one known. size: how many at most."""
    return await ctx.db.all(_AFTER, event=event_id, after=after, statuses=list(statuses), size=size)


_ORGANISERS = Statement(
    Attendee,
    select(EventMember.user_id)
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.status == EventMemberStatus.JOINED,
        EventMember.role.in_(ORGANISERS),
    )
    .order_by(EventMember.user_id),
)


async def organisers_of(ctx: Ctx, event_id: UUID) -> list[UUID]:
    """Who runs an event."""
    return [each.user_id for each in await ctx.db.all(_ORGANISERS, event=event_id)]


async def attended_after(ctx: Ctx, user_id: UUID, after: UUID | None, *, size: int) -> list[UUID]:
    """The next events that concern a person, by their ids. after: the last one known."""
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

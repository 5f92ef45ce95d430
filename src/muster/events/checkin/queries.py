"""SQL that the door needs. A membership's row is the lock of who came with it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, select, update

from muster.events.tables import ArrivalWay, Attendance, Event, EventMember, EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.profiles.tables import Disclosure


class Guest(Row):
    """A membership at the door, under its lock."""

    id: UUID
    user_id: UUID
    status: EventMemberStatus
    attendance: Attendance | None


class Door(Row):
    """Where people check themselves in. self_check_in_metres: None where they may not."""

    latitude: float | None
    longitude: float | None
    has_city_point: bool
    address_visibility: Disclosure
    self_check_in_metres: int | None


_EVENT = EventMember.event_id == bindparam("event", type_=EventMember.event_id.type)
_PERSON = EventMember.user_id == bindparam("person", type_=EventMember.user_id.type)
_MEMBER = EventMember.id == bindparam("member", type_=EventMember.id.type)
_LOCK = select(*columns(Guest, EventMember)).where(_EVENT).with_for_update(key_share=True)
_LOCK_MEMBER = Statement(Guest, _LOCK.where(_MEMBER))
_LOCK_PERSON = Statement(Guest, _LOCK.where(_PERSON))
_DOOR = Statement(Door, select(*columns(Door, Event)).where(Event.id == bindparam("event")))


def _marking(**values: Any) -> Statement[Nothing]:
    return Statement(Nothing, update(EventMember).where(_MEMBER).values(**values))


_AT = bindparam("moment", type_=EventMember.arrived_at.type)
_ARRIVE = _marking(
    attendance=Attendance.PRESENT,
    # A scanner without a network may tell of an earlier scan later.
    arrived_at=func.least(EventMember.arrived_at, _AT),
    arrived_by=func.coalesce(EventMember.arrived_by, bindparam("way")),
    scans=EventMember.scans + 1,
)
_MISS = _marking(attendance=Attendance.NO_SHOW, arrived_at=None, arrived_by=None)
_UNMARK = _marking(attendance=None, arrived_at=None, arrived_by=None)


async def lock_member(ctx: Ctx, event_id: UUID, member_id: UUID) -> Guest | None:
    """A membership of the event, which stays as it is until the transaction ends."""
    return await ctx.db.one(_LOCK_MEMBER, event=event_id, member=member_id)


async def lock_person(ctx: Ctx, event_id: UUID, user_id: UUID) -> Guest | None:
    """The same of a person."""
    return await ctx.db.one(_LOCK_PERSON, event=event_id, person=user_id)


async def door_of(ctx: Ctx, event_id: UUID) -> Door:
    """Where people come to the event. Raises LookupError for one that is not there."""
    found = await ctx.db.one(_DOOR, event=event_id)
    if found is None:
        raise LookupError("the event is gone")
    return found


async def put_arrived(ctx: Ctx, member_id: UUID, at: datetime, way: ArrivalWay) -> None:
    """Count a scan of the locked membership; the first arrival stays."""
    await ctx.db.run(_ARRIVE, member=member_id, moment=at, way=way)


async def put_marked(ctx: Ctx, member_id: UUID, attendance: Attendance | None) -> None:
    """Say that the holder of the locked membership did not come, or that nobody knows."""
    await ctx.db.run(_UNMARK if attendance is None else _MISS, member=member_id)

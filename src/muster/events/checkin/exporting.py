"""The list of who came, to be taken along: CSV for a spreadsheet or a printer."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import Integer, bindparam, select

from muster.events.commands.finding import lock_event_for
from muster.events.facts import EventFact
from muster.events.limits import EVENT_WRITE
from muster.events.rules import Deed
from muster.events.tables import ArrivalWay, Attendance, EventMember, EventMemberStatus
from muster.identity.tables import User
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement
from muster.kit.sheets import lines
from muster.kit.views.paging import PartCursor, cursor_tag, read_cursor, write_cursor
from muster.kit.views.results import Payload

_MOST = 5000
"""Rows of one part: a hall, in one go."""


class EventAttendanceExported(EventFact):
    """An organiser took the list of who came along. user_id: who. rows: how many."""

    kind: ClassVar[str] = "event.attendance_exported"
    user_id: UUID
    rows: int


class AttendanceSheet(Payload):
    """A part of the list of who has a place.

    text: CSV, of which the first part begins with the names of the columns. rows: how many. end_cursor: where the next
    part begins, to be handed back as `after`. has_next_page: whether there may be one.
    """

    text: str
    rows: int
    end_cursor: str
    has_next_page: bool


class Listed(Row):
    """A line of the list. party_size: how many come under this name."""

    name: str
    party_size: int
    guest_names: str | None
    attendance: Attendance | None
    arrived_at: datetime | None
    arrived_by: ArrivalWay | None
    scans: int
    joined_at: datetime | None
    user_id: UUID
    id: UUID


_OF_MEMBER = tuple(name for name in Listed.__struct_fields__ if name != "name")
_LISTED = Statement(
    Listed,
    select(User.name, *(getattr(EventMember, name) for name in _OF_MEMBER))
    .join(User, User.id == EventMember.user_id)
    .where(
        EventMember.event_id == bindparam("event", type_=EventMember.event_id.type),
        EventMember.status == EventMemberStatus.JOINED,
        EventMember.id > bindparam("after", type_=EventMember.id.type),
    )
    .order_by(EventMember.id)
    .limit(bindparam("most", type_=Integer())),
)
_COLUMNS = tuple(name for name in Listed.__struct_fields__ if name != "id")
_BEFORE_EVERYBODY = UUID(int=0)


@command(
    "POST /events/{event_id}/attendance/exports", "exportAttendance", allow=member, in_person=True, limit=EVENT_WRITE
)
async def export_attendance(ctx: Ctx, *, event_id: UUID, after: PartCursor | None = None) -> AttendanceSheet:
    """Take the list of who has a place along as CSV: with their guests, and whether and when they came.

    In the order in which they first came to the event, at most 5,000 at a time. Raises EventNotFound, NotOrganiser, BadInput
    for a cursor of another list.
    """
    await lock_event_for(ctx, event_id, Deed.CHECK_IN)
    tag = cursor_tag("exportAttendance", "", {"event": str(event_id)})
    begin = _BEFORE_EVERYBODY if after is None else read_cursor(after, tag, (UUID,), "after")[0]
    found = await ctx.db.all(_LISTED, event=event_id, after=begin, most=_MOST)
    head = [_COLUMNS] if after is None else []
    ctx.record(EventAttendanceExported(event_id=event_id, user_id=ctx.user_id, rows=len(found)))
    return AttendanceSheet(
        text=lines([*head, *(_cells(each) for each in found)]),
        rows=len(found),
        end_cursor=write_cursor(tag, found[-1].id if found else begin),
        has_next_page=len(found) == _MOST,
    )


def _cells(listed: Listed) -> list[object]:
    told = msgspec.to_builtins(listed)
    return [told[name] for name in _COLUMNS]

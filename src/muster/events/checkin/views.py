"""What can be read of who came: by who runs the event, and of oneself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_

from muster.events.predicates import runs
from muster.events.tables import ArrivalWay, Attendance, EventMember, EventMemberStatus
from muster.events.views import EventView
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.views.paging import ascending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one


def attendance_visible(membership: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """Who has a place, as far as the viewer runs the event or is meant."""
    mine = membership.user_id == viewer.user_id
    return and_(membership.status == EventMemberStatus.JOINED, or_(mine, runs(membership.event_id, viewer)))


class EventAttendanceView(View, of=EventMember):
    """Whether somebody with a place came. Its id is that of their membership, which their ticket names.

    attendance: null while nobody knows. arrived_at: when they came; null when they did not. arrived_by: how that is known.
    scans: how often their ticket was scanned; more than once may be a copy.
    """

    visible = attendance_visible
    within = "event"
    filters = {"attendance": equals(EventMember.attendance)}
    orders = {"ASKED": ascending(EventMember.asked_at)}

    id: UUID
    attendance: Attendance | None
    arrived_at: datetime | None
    arrived_by: ArrivalWay | None
    scans: int
    user: UserView = one("user_id")
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/attendance", "eventAttendance", allow=member)
def event_attendance(event_id: UUID) -> Page[EventAttendanceView] | None:
    """Who has a place in an event and whether they came: all of them for who runs it, oneself for others."""


@query("GET /events/{event_id}/attendance/{user_id}", "memberAttendance", allow=member)
def member_attendance(event_id: UUID, user_id: UUID) -> EventAttendanceView | None:
    """Whether one person came, for who runs the event and for themselves."""

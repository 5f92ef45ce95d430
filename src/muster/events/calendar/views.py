"""What can be read of feeds; their addresses are told by `openCalendar` alone."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from muster.events.calendar.tables import CalendarFeed, FeedScope
from muster.events.views import EventView
from muster.kit.caller import member
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one


def is_own(feed: type[CalendarFeed], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own."""
    return feed.user_id == viewer.user_id


class CalendarFeedView(View, of=CalendarFeed):
    """An address that calendar programs read at.

    scope: what it holds. event: which, for a feed of one event; null for any other. created_at: when it was opened.
    """

    visible = is_own
    orders = {"NEWEST": descending(CalendarFeed.created_at)}
    example = {"scope": "MINE"}

    id: UUID
    scope: FeedScope
    event: EventView | None = one("event_id")
    created_at: datetime


@query("GET /me/calendars", "myCalendars", allow=member)
def my_calendars() -> Page[CalendarFeedView]:
    """The caller's own feeds in this community, the newest first."""

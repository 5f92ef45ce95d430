"""What can be read of announcements: by whom they are for, and by who runs the event."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, any_, or_, select

from muster.events.announcements.tables import Announcement
from muster.events.predicates import runs
from muster.events.tables import EventMember
from muster.events.views import EventView
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.db.tables import once_more
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one


def announcement_visible(announcement: type[Announcement], viewer: Viewer) -> ColumnElement[bool]:
    """Who is of a standing that it is for, and who runs the event."""
    mine = once_more(EventMember)
    own = select(mine.id).where(
        mine.event_id == announcement.event_id,
        mine.user_id == viewer.user_id,
        mine.status == any_(announcement.audience),
    )
    return or_(own.exists(), runs(announcement.event_id, viewer))


class AnnouncementView(View, of=Announcement):
    """What organisers told people of an event.

    content: plain text. audience: of which standing these people are. created_at: when they were told. author: who did.
    """

    visible = announcement_visible
    within = "event"
    orders = {"NEWEST": descending(Announcement.created_at)}
    example = {"content": "We meet at the north gate.", "audience": ["JOINED"]}

    id: UUID
    content: str
    audience: list[str]
    created_at: datetime
    author: UserView = one("author_id")
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/announcements", "eventAnnouncements", allow=member)
def event_announcements(event_id: UUID) -> Page[AnnouncementView] | None:
    """What the organisers of an event told the caller, the newest first; null when they may not see the event."""


@query("GET /events/{event_id}/announcements/{id}", "eventAnnouncement", allow=member)
def event_announcement(event_id: UUID, id: UUID) -> AnnouncementView | None:
    """One announcement to the caller."""

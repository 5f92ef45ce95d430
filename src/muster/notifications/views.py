"""What can be read of notifications."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, true

from muster.kit.caller import member
from muster.kit.db.tables import Json
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer
from muster.notifications.tables import Notification


def is_recipient(notification: type[Notification], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is the one who is told."""
    return notification.user_id == viewer.user_id


class NotificationView(View, of=Notification):
    """Something the viewer is told; clients render it from `kind` and `data`."""

    visible = is_recipient
    orders = {"NEWEST": descending(Notification.created_at)}
    example = {"kind": "WAITLIST_PROMOTED", "data": {"eventId": "01934f6e-5a00-7c3d-9b1e-2f4a6c8d0e1f"}}

    id: UUID
    kind: str
    data: Json
    created_at: datetime
    read_at: datetime | None


def unread(notification: Any, _viewer: Viewer, *, unread_only: bool) -> ColumnElement[bool]:
    """With `unread_only`, what has not been read yet."""
    condition: ColumnElement[bool] = notification.read_at.is_(None) if unread_only else true()
    return condition


@query("GET /notifications", "myNotifications", allow=member, where=unread)
def my_notifications(unread_only: bool = False) -> Page[NotificationView]:
    """What the caller was told, the newest first."""

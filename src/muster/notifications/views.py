"""What can be read of notifications."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select, true

from muster.identity.tables import User
from muster.identity.views import is_self
from muster.kit.caller import member
from muster.kit.db.tables import Json, once_more
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, UnionView, View, Viewer, one_of, sql
from muster.notifications.tables import Notification


def is_recipient(notification: type[Notification], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is the one who is told, and has not deleted it."""
    return and_(notification.user_id == viewer.user_id, notification.deleted_at.is_(None))


class NotificationSubject(UnionView):
    """What a notification is about. Null when it is gone, or the viewer may not see it any more."""


class NotificationView(View, of=Notification):
    """Something the viewer is told; clients render it from `kind` and `data`.

    kind: what happened, such as `WAITLIST_PROMOTED`. data: what clients need to say it; its members depend on the kind.
    created_at: when it was told. read_at: when it was read; null
    until then.
    """

    visible = is_recipient
    orders = {"NEWEST": descending(Notification.created_at)}
    example = {"kind": "WAITLIST_PROMOTED", "data": {"eventId": "01934f6e-5a00-7c3d-9b1e-2f4a6c8d0e1f"}}

    id: UUID
    kind: str
    data: Json
    subject: NotificationSubject | None = one_of("subject_kind", "subject_id")
    created_at: datetime
    read_at: datetime | None


def unread(notification: Any, _viewer: Viewer, *, unread_only: bool) -> ColumnElement[bool]:
    """With `unread_only`, what has not been read yet."""
    condition: ColumnElement[bool] = notification.read_at.is_(None) if unread_only else true()
    return condition


@query("GET /notifications", "myNotifications", allow=member, where=unread)
def my_notifications(unread_only: bool = False) -> Page[NotificationView]:
    """What the caller was told, the newest first.

    unread_only: leave out what was read.
    """


MOST_COUNTED = 1000
"""Where counting what is unread ends: it means so many or more."""


def unread_count(person: type[User], _viewer: Viewer) -> ColumnElement[int]:
    """How many notifications a person has not read; at most `MOST_COUNTED`, so that it never costs much.

    Counted from an index that holds the unread only, and not kept: nothing can drift, and nobody waits for a lock.
    """
    unread = once_more(Notification)
    counted = (
        select(unread.id)
        .where(unread.user_id == person.id, unread.read_at.is_(None), unread.deleted_at.is_(None))
        .limit(MOST_COUNTED)
        .correlate_except(unread.id.table)
        .subquery()
    )
    return select(func.count()).select_from(counted).scalar_subquery()


class NotificationBadgeView(View, of=User):
    """How much the viewer has not read.

    unread_count: how many notifications; 1000 means so many or more.
    """

    visible = is_self

    id: UUID
    unread_count: int = sql(unread_count)


@query("GET /notifications/badge", "myNotificationBadge", allow=member, where=is_self)
def my_notification_badge() -> NotificationBadgeView | None:
    """How many notifications the caller has not read."""

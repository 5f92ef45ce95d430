"""Telling people, which handlers of facts do, and what people do with what they are told."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from muster.identity.mail import post_mail
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.errors import NotFound
from muster.kit.limits import API
from muster.kit.mail.kinds import Mail
from muster.kit.views.view import View
from muster.notifications import queries
from muster.notifications.views import NotificationBadgeView, NotificationSubject, NotificationView


class NotificationAdded(Fact):
    """A person was told something."""

    kind: ClassVar[str] = "notification.added"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    notification_id: UUID


class BadgeChanged(Fact):
    """What a person has not read changed by their own doing: they read or deleted."""

    kind: ClassVar[str] = "notification.badge_changed"
    about: ClassVar[str] = "user_id"
    user_id: UUID


class NotificationNotFound(NotFound):
    """There is no such notification of yours."""

    code = "NOTIFICATION_NOT_FOUND"


async def tell(
    ctx: Ctx,
    *,
    user_id: UUID,
    kind: str,
    data: Mapping[str, object],
    about: View | None = None,
    mail: Mail | None = None,
    settled_by_id: UUID | None = None,
) -> None:
    """Tell a person something that follows from the fact at hand; a repeat for the same fact tells nothing.

    kind: what it is about, which clients render. data: the ids it needs. about: a reference to what clients read along,
    a row of a view that is added to `NotificationSubject`. mail: the same as a letter, for who has shown that their
    address is theirs. settled_by_id: what `settle` is called with when the person has seen to it elsewhere.
    Raises LookupError outside a handler, and for a row of any other view.
    """
    if ctx.cause is None:
        raise LookupError("only a handler tells, since the fact it follows is the key that makes a repeat harmless")
    if about is not None and about.type_name() not in NotificationSubject.views:
        raise LookupError(f"{about.type_name()} is not added to NotificationSubject, so nobody could read it")
    made = await queries.put_notification(
        ctx, user_id=user_id, fact_id=ctx.cause, kind=kind, data=data, about=about, settled_by_id=settled_by_id
    )
    if made is not None:
        ctx.record(NotificationAdded(user_id=user_id, notification_id=made))
    if mail is not None:
        await post_mail(ctx, mail, user_id=user_id)


async def settle(ctx: Ctx, *, by_id: UUID) -> None:
    """The acting person has seen to something elsewhere, so what they were told of it is read."""
    if await queries.put_settled(ctx, by_id):
        ctx.record(BadgeChanged(user_id=ctx.user_id))


@command("POST /notifications/{id}/reading", "markNotificationRead", allow=member, limit=API)
async def mark_read(ctx: Ctx, *, id: UUID) -> NotificationView:
    """Say that a notification has been read; twice is once.

    Raises NotificationNotFound.
    """
    return await _mark(ctx, id, read=True)


@command("DELETE /notifications/{id}/reading", "markNotificationUnread", allow=member, limit=API)
async def mark_unread(ctx: Ctx, *, id: UUID) -> NotificationView:
    """Keep a notification for later: it counts as unread again.

    Raises NotificationNotFound.
    """
    return await _mark(ctx, id, read=False)


async def _mark(ctx: Ctx, notification_id: UUID, *, read: bool) -> NotificationView:
    if await queries.put_read(ctx, notification_id, read=read):
        ctx.record(BadgeChanged(user_id=ctx.user_id))
    elif not await queries.is_there(ctx, notification_id):
        raise NotificationNotFound
    return NotificationView.ref(notification_id)


@command("POST /notifications/reading", "markAllNotificationsRead", allow=member, limit=API)
async def mark_all_read(ctx: Ctx) -> NotificationBadgeView:
    """Say that every notification has been read. What comes at the same moment stays unread."""
    if await queries.put_all_read(ctx):
        ctx.record(BadgeChanged(user_id=ctx.user_id))
    return NotificationBadgeView.ref(ctx.user_id)


@command("DELETE /notifications/{id}", "deleteNotification", allow=member, limit=API)
async def delete(ctx: Ctx, *, id: UUID) -> NotificationView:
    """Delete a notification, and show it for the last time.

    Raises NotificationNotFound.
    """
    if not await queries.put_deleted(ctx, id):
        raise NotificationNotFound
    ctx.record(BadgeChanged(user_id=ctx.user_id))
    return NotificationView.ref(id)


@command("DELETE /notifications", "clearNotifications", allow=member, limit=API)
async def clear(ctx: Ctx) -> NotificationBadgeView:
    """Delete every notification, read or not. What comes at the same moment stays."""
    if await queries.put_all_deleted(ctx):
        ctx.record(BadgeChanged(user_id=ctx.user_id))
    return NotificationBadgeView.ref(ctx.user_id)

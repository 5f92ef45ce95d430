"""SQL that notifications need."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement
from muster.kit.ids import new_id
from muster.kit.views.view import View
from muster.notifications.tables import Notification


class NotificationId(Row):
    """The id of a notification."""

    id: UUID


# A handler may run twice at once: the unique constraint lets one of them through, and the other gets no row.
_PUT = Statement(
    NotificationId,
    insert(Notification)
    .on_conflict_do_nothing(index_elements=["tenant_id", "user_id", "fact_id"])
    .returning(Notification.id),
    insert_keys=(
        "tenant_id",
        "id",
        "user_id",
        "fact_id",
        "kind",
        "data",
        "subject_kind",
        "subject_id",
        "created_at",
        "settled_by_id",
    ),
)
_MINE = (Notification.user_id == bindparam("person"), Notification.deleted_at.is_(None))
_THIS = (Notification.id == bindparam("notification"), *_MINE)
_UNREAD, _READ = Notification.read_at.is_(None), Notification.read_at.is_not(None)
_FIND = Statement(NotificationId, select(Notification.id).where(*_THIS))
# Marks of one notification at once wait for each other at its row, and only the first still finds it as it was: the
# number of rows touched says whether anything changed.
_MARK_READ = Statement(Nothing, update(Notification).where(*_THIS, _UNREAD).values(read_at=bindparam("moment")))
_MARK_UNREAD = Statement(Nothing, update(Notification).where(*_THIS, _READ).values(read_at=None))
_MARK_ALL_READ = Statement(Nothing, update(Notification).where(*_MINE, _UNREAD).values(read_at=bindparam("moment")))
_SETTLE = Statement(
    Nothing,
    update(Notification)
    .where(*_MINE, _UNREAD, Notification.settled_by_id == bindparam("settler"))
    .values(read_at=bindparam("moment")),
)
_DELETE = Statement(Nothing, update(Notification).where(*_THIS).values(deleted_at=bindparam("moment")))
_DELETE_ALL = Statement(Nothing, update(Notification).where(*_MINE).values(deleted_at=bindparam("moment")))


async def put_notification(
    ctx: Ctx,
    *,
    user_id: UUID,
    fact_id: UUID,
    kind: str,
    data: Mapping[str, object],
    about: View | None,
    settled_by_id: UUID | None,
) -> UUID | None:
    """Store what a person is told because of a fact; None when they have been told already."""
    made = await ctx.db.one(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=user_id,
        fact_id=fact_id,
        kind=kind,
        data=msgspec.json.encode(data).decode(),
        subject_kind=None if about is None else about.type_name(),
        subject_id=None if about is None else about.row_id,
        created_at=ctx.now,
        settled_by_id=settled_by_id,
    )
    return None if made is None else made.id


async def is_there(ctx: Ctx, notification_id: UUID) -> bool:
    """Whether the acting person has this notification."""
    return await ctx.db.one(_FIND, notification=notification_id, person=ctx.user_id) is not None


async def put_read(ctx: Ctx, notification_id: UUID, *, read: bool) -> bool:
    """Mark one of the acting person's notifications as read or unread; False when it is so already or not there."""
    mark: dict[str, object] = {"notification": notification_id, "person": ctx.user_id}
    if read:
        return bool(await ctx.db.run(_MARK_READ, **mark, moment=ctx.now))
    return bool(await ctx.db.run(_MARK_UNREAD, **mark))


async def put_all_read(ctx: Ctx) -> bool:
    """Mark every notification of the acting person as read; False when all were."""
    return bool(await ctx.db.run(_MARK_ALL_READ, person=ctx.user_id, moment=ctx.now))


async def put_settled(ctx: Ctx, by_id: UUID) -> bool:
    """Mark what somebody has done elsewhere as read; False when nothing was unread."""
    return bool(await ctx.db.run(_SETTLE, person=ctx.user_id, settler=by_id, moment=ctx.now))


async def put_deleted(ctx: Ctx, notification_id: UUID) -> bool:
    """Take a notification out of the acting person's sight; False when it is not there."""
    mark: dict[str, object] = {"notification": notification_id, "person": ctx.user_id}
    return bool(await ctx.db.run(_DELETE, **mark, moment=ctx.now))


async def put_all_deleted(ctx: Ctx) -> bool:
    """Take every notification out of the acting person's sight; False when there was none."""
    return bool(await ctx.db.run(_DELETE_ALL, person=ctx.user_id, moment=ctx.now))

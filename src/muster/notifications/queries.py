"""SQL that notifications need."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy.dialects.postgresql import insert

from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement
from muster.kit.ids import new_id
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
    insert_keys=("tenant_id", "id", "user_id", "fact_id", "kind", "data", "created_at"),
)


async def put_notification(
    ctx: Ctx, *, user_id: UUID, fact_id: UUID, kind: str, data: Mapping[str, object]
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
        created_at=ctx.now,
    )
    return None if made is None else made.id

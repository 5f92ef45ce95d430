"""SQL that feeds need."""

from uuid import UUID

from sqlalchemy import bindparam, delete
from sqlalchemy.dialects.postgresql import insert

from muster.events.calendar.tables import CalendarFeed, FeedScope
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement
from muster.kit.ids import new_id


class FeedId(Row):
    """The id of a feed."""

    id: UUID


_made = insert(CalendarFeed)
# Asked for twice at once, there is one row, and both get its id: the unique constraint has the second wait for the first.
_OPEN = Statement(
    FeedId,
    _made.on_conflict_do_update(constraint="calendar_feeds_one_key", set_={"scope": _made.excluded.scope}).returning(
        CalendarFeed.id
    ),
    insert_keys=("tenant_id", "id", "user_id", "scope", "event_id", "created_at"),
)
_CLOSE = Statement(
    Nothing,
    delete(CalendarFeed).where(
        CalendarFeed.user_id == bindparam("person"),
        CalendarFeed.scope == bindparam("wanted"),
        CalendarFeed.event_id.is_not_distinct_from(bindparam("event", type_=CalendarFeed.event_id.type)),
    ),
)


async def open_feed(ctx: Ctx, scope: FeedScope, event_id: UUID | None) -> UUID:
    """The acting person's feed of this scope, made when there is none."""
    made = await ctx.db.one(
        _OPEN,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=ctx.user_id,
        scope=scope,
        event_id=event_id,
        created_at=ctx.now,
    )
    if made is None:
        raise LookupError("an upsert answers with its row")
    return made.id


async def close_feed(ctx: Ctx, scope: FeedScope, event_id: UUID | None) -> None:
    """Remove the acting person's feed of this scope, if there is one."""
    await ctx.db.run(_CLOSE, person=ctx.user_id, wanted=scope, event=event_id)

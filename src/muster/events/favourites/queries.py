"""SQL that favourites need."""

from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from muster.events.favourites.tables import Favourite
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement
from muster.kit.ids import new_id


class Kept(Row):
    """The id of a favourite."""

    id: UUID


_OWN = (Favourite.user_id == bindparam("person", type_=Uuid()), Favourite.event_id == bindparam("event", type_=Uuid()))
_KEPT = Statement(Kept, select(Favourite.id).where(*_OWN))
# Of two requests that keep one event at once the unique key lets one in; the other finds it there.
_PUT = Statement(
    Kept,
    insert(Favourite)
    .on_conflict_do_nothing(index_elements=["tenant_id", "user_id", "event_id"])
    .returning(Favourite.id),
    insert_keys=("tenant_id", "id", "user_id", "event_id", "created_at"),
)
_FORGET = Statement(Kept, delete(Favourite).where(*_OWN).returning(Favourite.id))


async def put_favourite(ctx: Ctx, event_id: UUID) -> UUID | None:
    """Keep an event for the acting person; None when they did already."""
    row = {"user_id": ctx.user_id, "event_id": event_id, "created_at": ctx.now}
    made = await ctx.db.one(_PUT, tenant_id=ctx.tenant_id, id=new_id(), **row)
    return None if made is None else made.id


async def favourite_of(ctx: Ctx, event_id: UUID) -> UUID | None:
    """What the acting person keeps of an event."""
    found = await ctx.db.one(_KEPT, person=ctx.user_id, event=event_id)
    return None if found is None else found.id


async def forget_favourite(ctx: Ctx, event_id: UUID) -> bool:
    """Keep an event no more; whether the acting person did."""
    return await ctx.db.one(_FORGET, person=ctx.user_id, event=event_id) is not None

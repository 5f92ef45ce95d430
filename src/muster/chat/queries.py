"""SQL that chat's commands need."""

from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.chat.tables import Message, Room, Seat
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, insertion
from muster.kit.ids import new_id


class Sequence(Row):
    """The number a message gets in its room."""

    last_sequence: int


_PUT_ROOM = insertion(Nothing, Room, "tenant_id", "id", "last_sequence")
_PUT_SEAT = Statement(
    Nothing,
    insert(Seat).on_conflict_do_nothing(index_elements=["tenant_id", "room_id", "user_id"]),
    insert_keys=("tenant_id", "id", "room_id", "user_id"),
)
_REMOVE_SEAT = Statement(
    Nothing, delete(Seat).where(Seat.room_id == bindparam("room"), Seat.user_id == bindparam("person"))
)
# Two races. The lock on the seat: who is being unseated either speaks before that commits or not at all. The update of
# the room: two messages never get one number, and a later number is never seen before an earlier one.
_HELD_SEAT = (
    select(Seat.id)
    .where(Seat.room_id == bindparam("room"), Seat.user_id == bindparam("person"))
    .with_for_update(read=True, key_share=True)
    .cte("held_seat")
)
_NEXT_SEQUENCE = Statement(
    Sequence,
    update(Room)
    .where(Room.id == bindparam("room"), select(_HELD_SEAT.c.id).exists())
    .values(last_sequence=Room.last_sequence + 1)
    .returning(Room.last_sequence),
)
_PUT_MESSAGE = insertion(
    Nothing, Message, "tenant_id", "id", "room_id", "sequence", "author_id", "content", "created_at"
)


async def put_room(ctx: Ctx, room_id: UUID) -> None:
    """Make a room."""
    await ctx.db.run(_PUT_ROOM, tenant_id=ctx.tenant_id, id=room_id, last_sequence=0)


async def put_seat(ctx: Ctx, room_id: UUID, user_id: UUID) -> None:
    """Give a person a seat; one who has it keeps it."""
    await ctx.db.run(_PUT_SEAT, tenant_id=ctx.tenant_id, id=new_id(), room_id=room_id, user_id=user_id)


async def remove_seat(ctx: Ctx, room_id: UUID, user_id: UUID) -> None:
    """Take a person's seat."""
    await ctx.db.run(_REMOVE_SEAT, room=room_id, person=user_id)


async def next_sequence(ctx: Ctx, room_id: UUID) -> int | None:
    """Hold the seat, lock the room and take the next number; None when the acting person has no seat in it."""
    taken = await ctx.db.one(_NEXT_SEQUENCE, room=room_id, person=ctx.user_id)
    return None if taken is None else taken.last_sequence


async def put_message(ctx: Ctx, *, room_id: UUID, sequence: int, content: str) -> UUID:
    """Store a message of the acting person; answers with its id."""
    message_id = new_id()
    await ctx.db.run(
        _PUT_MESSAGE,
        tenant_id=ctx.tenant_id,
        id=message_id,
        room_id=room_id,
        sequence=sequence,
        author_id=ctx.user_id,
        content=content,
        created_at=ctx.now,
    )
    return message_id

"""SQL that chat's commands need."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, case, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.chat.rules import NOTICE_GRACE, Said
from muster.chat.tables import Message, MessageVersion, Room, Seat
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, given, insertion
from muster.kit.db.tables import once_more
from muster.kit.ids import new_id
from muster.kit.work.schedule import TenantId


class Sequence(Row):
    """The number a message gets in its room."""

    last_sequence: int


class HeldSeat(Row):
    """A seat that nobody can take before the transaction ends."""

    id: UUID


class LockedSeat(Row):
    """A seat under its lock, and the number of the room's last message."""

    id: UUID
    read_sequence: int
    told_sequence: int
    muted_at: datetime | None
    last_sequence: int


class DueRoom(Row):
    """A room and the newest of its messages that has been unread long enough to tell of."""

    id: UUID
    sequence: int | None


class PersonId(Row):
    """Somebody who is to be told."""

    user_id: UUID


class LockedMessage(Row):
    """A message under its lock."""

    author_id: UUID
    content: str | None
    created_at: datetime

    @property
    def said(self) -> Said:
        """What the rules ask of it."""
        return Said(self.author_id, self.content, self.created_at)


_PUT_ROOM = insertion(Nothing, Room, "tenant_id", "id", "last_sequence")
_GIVEN = given(seat=Uuid(), room=Uuid(), person=Uuid())
_PUT_SEATS = Statement(
    Nothing,
    insert(Seat)
    .from_select(
        ("tenant_id", "id", "room_id", "user_id", "read_sequence", "told_sequence"),
        select(
            Room.tenant_id,
            _GIVEN.c.seat,
            Room.id,
            _GIVEN.c.person,
            Room.last_sequence,
            literal(0, Seat.told_sequence.type),
        ).join(_GIVEN, _GIVEN.c.room == Room.id),
    )
    .on_conflict_do_nothing(index_elements=["tenant_id", "room_id", "user_id"]),
)
_REMOVE_SEAT = Statement(
    Nothing, delete(Seat).where(Seat.room_id == bindparam("room"), Seat.user_id == bindparam("person"))
)
# Two races. The lock on the seat: who is being unseated either speaks before that commits or not at all. The update of
# the room: two messages never get one number, and a later number is never seen before an earlier one.
_SEAT = (
    select(Seat.id)
    .where(Seat.room_id == bindparam("room"), Seat.user_id == bindparam("person"))
    .with_for_update(read=True, key_share=True)
)
_HELD_SEAT = _SEAT.cte("held_seat")
_NEXT_SEQUENCE = Statement(
    Sequence,
    update(Room)
    .where(Room.id == bindparam("room"), select(_HELD_SEAT.c.id).exists())
    .values(
        last_sequence=Room.last_sequence + 1,
        notice_due_at=func.coalesce(Room.notice_due_at, bindparam("due", type_=Room.notice_due_at.type)),
    )
    .returning(Room.last_sequence),
)
_PUT_MESSAGE = insertion(
    Nothing, Message, "tenant_id", "id", "room_id", "sequence", "author_id", "content", "created_at"
)
# Two edits, or an edit and a deletion: one waits for the other here, and then decides on what the other left.
_LOCK_MESSAGE = Statement(
    LockedMessage,
    select(Message.author_id, Message.content, Message.created_at)
    .where(Message.room_id == bindparam("room"), Message.id == bindparam("message"))
    .with_for_update(key_share=True),
)
_HOLD_SEAT = Statement(HeldSeat, _SEAT)
# Two marks at once, from two devices: one waits for the other here, so the cursor never goes back.
_LOCK_SEAT = Statement(
    LockedSeat,
    select(Seat.id, Seat.read_sequence, Seat.told_sequence, Seat.muted_at, Room.last_sequence)
    .join(Room, Room.id == Seat.room_id)
    .where(Seat.room_id == bindparam("room"), Seat.user_id == bindparam("person"))
    .with_for_update(key_share=True, of=Seat),
)
_READ_TO = Statement(
    Nothing, update(Seat).where(Seat.id == bindparam("seat")).values(read_sequence=bindparam("sequence"))
)
_MUTE = Statement(Nothing, update(Seat).where(Seat.id == bindparam("seat")).values(muted_at=bindparam("moment")))
_VERSION = ("tenant_id", "id", "message_id", "author_id", "content", "written_at")
_KEEP_VERSION = Statement(
    Nothing,
    insert(MessageVersion).from_select(
        _VERSION,
        select(
            Message.tenant_id,
            bindparam("version", type_=Message.id.type),
            Message.id,
            Message.author_id,
            Message.content,
            func.coalesce(Message.edited_at, Message.created_at),
        ).where(Message.id == bindparam("message")),
    ),
)
_FORGET_VERSIONS = Statement(Nothing, delete(MessageVersion).where(MessageVersion.message_id == bindparam("message")))
_EDIT = Statement(
    Nothing,
    update(Message)
    .where(Message.id == bindparam("message"))
    .values(content=bindparam("text"), edited_at=bindparam("moment")),
)
_DELETE = Statement(
    Nothing,
    update(Message)
    .where(Message.id == bindparam("message"))
    .values(
        content=None,
        deleted_at=bindparam("moment"),
        deleted_by_id=bindparam("person"),
        deletion_reason=bindparam("reason"),
    ),
)
_now = bindparam("now", type_=Room.notice_due_at.type)
TENANTS_WITH_DUE_ROOMS = Statement(TenantId, select(Room.tenant_id).where(Room.notice_due_at <= _now).distinct())
"""The tenants in which people are to be told of what they have not read, found across all of them."""

_said = once_more(Message)
_due = (
    select(
        Room.id,
        select(func.max(_said.sequence))
        .where(_said.room_id == Room.id, _said.created_at <= bindparam("said_by", type_=Message.created_at.type))
        .scalar_subquery()
        .label("sequence"),
    )
    .where(Room.tenant_id == bindparam("tenant", type_=Room.tenant_id.type), Room.notice_due_at <= _now)
    .order_by(Room.notice_due_at)
    .limit(100)
    .with_for_update(skip_locked=True, key_share=True, of=Room)
    .cte("due")
)
# Whoever speaks at the same moment holds the room's row, and is seen here by its last sequence: a message is either told
# of now or has the room due again.
_TAKE_DUE_ROOMS = Statement(
    DueRoom,
    update(Room)
    .where(Room.id == _due.c.id)
    .values(
        notice_due_at=case(
            (func.coalesce(_due.c.sequence, 0) < Room.last_sequence, bindparam("again", type_=_now.type)),
        )
    )
    .returning(Room.id, _due.c.sequence),
)

# Who reads at the same moment waits for this or this for them, at the seat's row, where the conditions are asked again.
_others = once_more(Message)
_is_new = (
    select(_others.id)
    .where(
        _others.room_id == Seat.room_id,
        _others.sequence > Seat.read_sequence,
        _others.sequence <= bindparam("sequence", type_=Message.sequence.type),
        _others.author_id != Seat.user_id,
        _others.deleted_at.is_(None),
    )
    .exists()
)
_TO_TELL = (
    select(Seat.id)
    .where(
        Seat.room_id == bindparam("room"),
        Seat.muted_at.is_(None),
        Seat.told_sequence <= Seat.read_sequence,
        Seat.read_sequence < bindparam("sequence", type_=Message.sequence.type),
        _is_new,
    )
    .order_by(Seat.id)
    .limit(bindparam("size", type_=Message.sequence.type))
    .with_for_update(key_share=True)
    .cte("to_tell")
)
_TAKE_TO_TELL = Statement(
    PersonId,
    update(Seat)
    .where(Seat.id == _TO_TELL.c.id)
    .values(told_sequence=bindparam("sequence", type_=Message.sequence.type))
    .returning(Seat.user_id),
)
_STILL_UNREAD = Statement(
    HeldSeat,
    select(Seat.id).where(
        and_(Seat.room_id == bindparam("room"), Seat.user_id == bindparam("person")),
        Seat.muted_at.is_(None),
        Seat.read_sequence < bindparam("sequence"),
    ),
)


async def put_room(ctx: Ctx, room_id: UUID) -> None:
    """Make a room."""
    await ctx.db.run(_PUT_ROOM, tenant_id=ctx.tenant_id, id=room_id, last_sequence=0)


async def put_rooms(ctx: Ctx, room_ids: Collection[UUID]) -> None:
    """Make many rooms."""
    await ctx.db.each(_PUT_ROOM, [{"tenant_id": ctx.tenant_id, "id": each, "last_sequence": 0} for each in room_ids])


async def put_seats(ctx: Ctx, seats: Collection[tuple[UUID, UUID]]) -> None:
    """Give people seats in rooms, each at its room's present end; who has one keeps it. seats: rooms with people."""
    rooms, people = [room_id for room_id, _ in seats], [user_id for _, user_id in seats]
    await ctx.db.run(_PUT_SEATS, seat=[new_id() for _ in seats], room=rooms, person=people)


def put_seat(ctx: Ctx, room_id: UUID, user_id: UUID) -> None:
    """The same for one, with the journal."""
    ctx.write(_PUT_SEATS, seat=new_id(), room=room_id, person=user_id)


async def remove_seat(ctx: Ctx, room_id: UUID, user_id: UUID) -> None:
    """Take a person's seat."""
    await ctx.db.run(_REMOVE_SEAT, room=room_id, person=user_id)


async def next_sequence(ctx: Ctx, room_id: UUID) -> int | None:
    """Hold the seat, lock the room and take the next number; None when the acting person has no seat in it."""
    taken = await ctx.db.one(_NEXT_SEQUENCE, room=room_id, person=ctx.user_id, due=ctx.now + NOTICE_GRACE)
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


async def hold_seat(ctx: Ctx, room_id: UUID) -> bool:
    """Hold the acting person's seat; False when they have none."""
    return await ctx.db.one(_HOLD_SEAT, room=room_id, person=ctx.user_id) is not None


async def lock_message(ctx: Ctx, room_id: UUID, message_id: UUID) -> LockedMessage | None:
    """Lock a message of a room: it serialises edits and deletions."""
    return await ctx.db.one(_LOCK_MESSAGE, room=room_id, message=message_id)


async def put_edited(ctx: Ctx, message_id: UUID, content: str) -> None:
    """Replace the text of a locked message and keep the one before."""
    await ctx.db.run(_KEEP_VERSION, version=new_id(), message=message_id)
    await ctx.db.run(_EDIT, message=message_id, text=content, moment=ctx.now)


async def put_deleted(ctx: Ctx, message_id: UUID, *, keep: bool, reason: str | None) -> None:
    """Take the text out of a locked message.

    keep: leave the text and its earlier versions to the moderators; else nothing of it is left.
    """
    if keep:
        await ctx.db.run(_KEEP_VERSION, version=new_id(), message=message_id)
    else:
        await ctx.db.run(_FORGET_VERSIONS, message=message_id)
    await ctx.db.run(_DELETE, message=message_id, moment=ctx.now, person=ctx.user_id, reason=reason)


async def lock_seat(ctx: Ctx, room_id: UUID) -> LockedSeat | None:
    """Lock the acting person's seat; None when they have none."""
    return await ctx.db.one(_LOCK_SEAT, room=room_id, person=ctx.user_id)


async def put_read(ctx: Ctx, seat_id: UUID, sequence: int) -> None:
    """Move the read cursor of a locked seat."""
    await ctx.db.run(_READ_TO, seat=seat_id, sequence=sequence)


async def put_muted(ctx: Ctx, seat_id: UUID, since: datetime | None) -> None:
    """Mute the room for a locked seat, or let it be heard again."""
    await ctx.db.run(_MUTE, seat=seat_id, moment=since)


async def take_due_rooms(ctx: Ctx) -> list[DueRoom]:
    """Take the rooms in which something has been unread for long enough; those with newer messages are due again."""
    return await ctx.db.all(
        _TAKE_DUE_ROOMS,
        tenant=ctx.tenant_id,
        now=ctx.now,
        said_by=ctx.now - NOTICE_GRACE,
        again=ctx.now + NOTICE_GRACE,
    )


async def take_to_tell(ctx: Ctx, room_id: UUID, sequence: int, *, limit: int) -> list[UUID]:
    """Take at most so many people who have not read up to a message and were told nothing since they last read."""
    found = await ctx.db.all(_TAKE_TO_TELL, room=room_id, sequence=sequence, size=limit)
    return [each.user_id for each in found]


async def is_unread(ctx: Ctx, room_id: UUID, user_id: UUID, sequence: int) -> bool:
    """Whether a person who wants to hear of it still has a message to read."""
    return await ctx.db.one(_STILL_UNREAD, room=room_id, person=user_id, sequence=sequence) is not None

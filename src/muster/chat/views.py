"""What can be read of conversations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from muster.chat.tables import Message, Room, Seat
from muster.identity.views import UserView
from muster.kit.db.tables import once_more
from muster.kit.views.paging import ascending, at_least, before
from muster.kit.views.view import View, Viewer, one, only_if


def sits_in_room(message: type[Message], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has a seat in the message's room."""
    seat = once_more(Seat)
    return select(seat.id).where(seat.room_id == message.room_id, seat.user_id == viewer.user_id).exists()


def is_author(message: type[Message], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own words."""
    return message.author_id == viewer.user_id


class MessageView(View, of=Message):
    """A message. A deleted one keeps its place.

    sequence: its number in the room, from 1 and without gaps. content: plain text; null when it is deleted.
    created_at: when it was sent. edited_at: when it was last edited; null when never. deleted_at: when it was deleted;
    null while it stands.
    deletion_reason: why a moderator deleted it; null for all but its author.
    """

    visible = sits_in_room
    filters = {"fromSequence": at_least(Message.sequence), "beforeSequence": before(Message.sequence)}
    orders = {"SEQUENCE": ascending(Message.sequence)}
    example = {"content": "Who brings the clocks?"}

    id: UUID
    sequence: int
    content: str | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    deletion_reason: str | None = only_if(is_author)
    author: UserView = one("author_id")


def is_occupant(seat: type[Seat], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own seat: how far others have read is theirs."""
    return seat.user_id == viewer.user_id


def last_sequence(seat: type[Seat], _viewer: Viewer) -> ColumnElement[int]:
    """The number of the last message in the seat's room."""
    room = once_more(Room)
    return select(room.last_sequence).where(room.id == seat.room_id).scalar_subquery()


def unread_count(seat: type[Seat], viewer: Viewer) -> ColumnElement[int]:
    """How many messages of others stand beyond the read cursor, deleted ones aside.

    A difference of two numbers, since sequences have no gaps, less what does not count: one's own messages and deleted
    ones, each from an index that holds little else. So it costs the same in a room of ten and of ten thousand, with ten
    unread and with ten thousand; see decision 0006.
    """
    own, deleted = once_more(Message), once_more(Message)
    own_beyond = select(func.count()).where(
        own.room_id == seat.room_id, own.author_id == seat.user_id, own.sequence > seat.read_sequence
    )
    deleted_beyond = select(func.count()).where(
        deleted.room_id == seat.room_id,
        deleted.sequence > seat.read_sequence,
        deleted.deleted_at.is_not(None),
        deleted.author_id != seat.user_id,
    )
    beyond = last_sequence(seat, viewer) - seat.read_sequence
    return beyond - own_beyond.scalar_subquery() - deleted_beyond.scalar_subquery()

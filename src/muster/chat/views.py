"""What can be read of conversations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select

from muster.chat.tables import Message, Seat
from muster.identity.views import UserView
from muster.kit.db.tables import once_more
from muster.kit.views.paging import ascending
from muster.kit.views.view import View, Viewer, one, only_if


def sits_in_room(message: type[Message], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has a seat in the message's room."""
    seat = once_more(Seat)
    return select(seat.id).where(seat.room_id == message.room_id, seat.user_id == viewer.user_id).exists()


def is_author(message: type[Message], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own words."""
    return message.author_id == viewer.user_id


class MessageView(View, of=Message):
    """A message; `sequence` counts within its room. A deleted one keeps its place, without `content`."""

    visible = sits_in_room
    orders = {"SEQUENCE": ascending(Message.sequence)}

    id: UUID
    sequence: int
    content: str | None
    created_at: datetime
    edited_at: datetime | None
    deleted_at: datetime | None
    deletion_reason: str | None = only_if(is_author)
    author: UserView = one("author_id")

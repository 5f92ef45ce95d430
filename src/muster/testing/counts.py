"""Counts that the product computes cleverly, beside the same counts made plainly, as SQL over every tenant."""

from sqlalchemy import func, select

from muster.chat.tables import Message, Seat
from muster.chat.views import unread_count
from muster.kit.db.statements import to_text
from muster.kit.db.tables import once_more
from muster.kit.views.scope import REQUEST_VIEWER

_message = once_more(Message)
_unread = (
    select(func.count())
    .where(
        _message.tenant_id == Seat.tenant_id,
        _message.room_id == Seat.room_id,
        _message.sequence > Seat.read_sequence,
        _message.author_id != Seat.user_id,
        _message.deleted_at.is_(None),
    )
    .scalar_subquery()
)
WRONGLY_UNREAD = to_text(select(Seat.id).where(unread_count(Seat, REQUEST_VIEWER) != _unread)).text
"""The seats whose unread count is not what counting the messages gives."""

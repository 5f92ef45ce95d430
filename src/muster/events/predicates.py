"""SQL predicates that views and commands share."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from muster.chat.tables import Message, MessageVersion
from muster.events.rules import ORGANISERS
from muster.events.tables import (
    Event,
    EventMember,
    EventMemberRole,
    EventMemberStatus,
    EventStatus,
    EventTag,
    Visibility,
)
from muster.kit.db.tables import once_more
from muster.kit.views.view import Viewer

_ATTENDS = (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST)
_SEATED = (EventMemberStatus.JOINED,)
_OUT = (EventStatus.PUBLISHED, EventStatus.CANCELLED)


def _is_member(
    event_id: Any,
    viewer: Viewer,
    statuses: tuple[EventMemberStatus, ...],
    roles: tuple[EventMemberRole, ...] = (),
) -> ColumnElement[bool]:
    mine = once_more(EventMember)
    conditions = [mine.event_id == event_id, mine.user_id == viewer.user_id, mine.status.in_(statuses)]
    if roles:
        conditions.append(mine.role.in_(roles))
    return select(mine.id).where(*conditions).exists()


def is_seated(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has a place."""
    return _is_member(event.id, viewer, _SEATED)


def has_place(event_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has a place in the event with this id."""
    return _is_member(event_id, viewer, _SEATED)


def event_visible(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """Drafts are seen by their organisers, hidden events by those who attend too, deleted ones by nobody, the rest by all."""
    is_out = event.status.in_(_OUT)
    return or_(
        and_(is_out, event.visibility == Visibility.PUBLIC),
        and_(is_out, _is_member(event.id, viewer, _ATTENDS)),
        and_(event.status != EventStatus.DELETED, _is_member(event.id, viewer, _SEATED, ORGANISERS)),
    )


def takes_place(event: type[Event], _viewer: Viewer) -> ColumnElement[bool]:
    """The event was not cancelled."""
    return event.status != EventStatus.CANCELLED


def is_to_come(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The event is still to end."""
    return event.ends_at > viewer.now


def takes_part_in(
    event: type[Event],
    viewer: Viewer,
    *,
    role: ColumnElement[str] | None,
    membership_status: ColumnElement[str] | None,
    upcoming: bool | None,
) -> ColumnElement[bool]:
    """The viewer has a place in the event or waits for one, or stands to it as they ask for.

    role, membership_status: which; None is any role, and who attends. upcoming: whether it is still to end.
    """
    mine = once_more(EventMember)
    conditions = [
        mine.event_id == event.id,
        mine.user_id == viewer.user_id,
        mine.status.in_(_ATTENDS) if membership_status is None else mine.status == membership_status,
    ]
    if role is not None:
        conditions.append(mine.role == role)
    own = select(mine.id).where(*conditions).exists()
    if upcoming is None:
        return own
    return and_(own, event.ends_at > viewer.now if upcoming else event.ends_at <= viewer.now)


def has_tag(event: type[Event], tag: ColumnElement[str]) -> ColumnElement[bool]:
    """The event has a tag, however the asker writes it."""
    tagged = once_more(EventTag)
    return select(tagged.id).where(tagged.event_id == event.id, tagged.tag == func.lower(tag)).exists()


def membership_visible(member: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """Who has a place is seen by whoever sees the event; every other standing by oneself and the organisers."""
    return or_(
        member.status == EventMemberStatus.JOINED,
        member.user_id == viewer.user_id,
        _is_member(member.event_id, viewer, _SEATED, ORGANISERS),
    )


def version_visible(version: type[MessageVersion], viewer: Viewer) -> ColumnElement[bool]:
    """Who runs the event sees what its messages said before; of a deleted one nothing is shown to anybody."""
    message = once_more(Message)
    moderates = _is_member(message.room_id, viewer, _SEATED, ORGANISERS)
    return select(message.id).where(message.id == version.message_id, message.deleted_at.is_(None), moderates).exists()

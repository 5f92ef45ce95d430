"""SQL predicates that views and commands share."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Interval, Select, Text, and_, any_, case, func, literal_column, or_, select
from sqlalchemy.dialects.postgresql import array

from muster.chat.tables import Message, MessageVersion
from muster.events.rules import ATTENDING, BOOSTED_FOR, CONCERNED, ORGANISERS, SHOWN
from muster.events.tables import (
    Event,
    EventMember,
    EventMemberRole,
    EventMemberStatus,
    EventStatus,
    EventTag,
    Level,
    Visibility,
)
from muster.identity.tables import User
from muster.kit.db.tables import once_more
from muster.kit.views.paging import probe
from muster.kit.views.view import Viewer
from muster.profiles.tables import Disclosure

_SEATED = (EventMemberStatus.JOINED,)
NO_STANDING = ""
"""The standing of who was never anything to the event."""
_BOOST: ColumnElement[timedelta] = literal_column(f"interval '{BOOSTED_FOR // timedelta(hours=1)} hours'", Interval())
"""How long a boost lasts."""


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
    """The viewer has a place in this event."""
    return has_place(event.id, viewer)


def has_place(event_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has a place in the event with this id."""
    return _is_member(event_id, viewer, _SEATED)


def runs(event_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is an owner or moderator of the event with this id, with a place in it."""
    return _is_member(event_id, viewer, _SEATED, ORGANISERS)


def standing(event_id: Any, viewer: Viewer) -> ColumnElement[str]:
    """How the viewer stands to the event with this id: their role with a place, their status without, or nothing.

    For fields: one question, the same for all of them, which a read then asks once for each event. A condition that
    chooses events asks `_is_member`, which an index answers for all of them.
    """
    mine = once_more(EventMember)
    role_or_status = case((mine.status == EventMemberStatus.JOINED, mine.role), else_=mine.status)
    own = select(role_or_status).where(mine.event_id == event_id, mine.user_id == viewer.user_id)
    return func.coalesce(own.scalar_subquery(), NO_STANDING, type_=Text())


def address_visible(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is shown where exactly the event is: its address, place and point.

    Whatever else tells of places to many (filters, words that are searched, maps, feeds, counts) uses `shown_latitude`
    and `shown_longitude`, and no address of an event whose `address_visibility` is not PUBLIC, whoever asks: by then
    nobody can narrow down what is hidden by asking again and again.
    """
    seated, organises = (array([each.value for each in roles], type_=Text()) for roles in (EventMemberRole, ORGANISERS))
    shown_to = case((event.address_visibility == Disclosure.AFTER_JOIN, seated), else_=organises)
    return or_(event.address_visibility == Disclosure.PUBLIC, standing(event.id, viewer) == any_(shown_to))


def online_url_visible(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer has a place, and is shown where the event is."""
    return and_(standing(event.id, viewer).in_(EventMemberRole), address_visible(event, viewer))


def event_visible(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """Drafts are seen by their organisers, hidden events by who attends, asked or is invited too, deleted ones by nobody,
    the rest by all.
    """
    is_out = event.status.in_(SHOWN)
    return or_(
        and_(is_out, event.visibility == Visibility.PUBLIC),
        and_(is_out, _is_member(event.id, viewer, CONCERNED)),
        # An organiser of what is out attends it, and has been asked for above.
        and_(event.status.not_in((*SHOWN, EventStatus.DELETED)), runs(event.id, viewer)),
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
        mine.status.in_(ATTENDING) if membership_status is None else mine.status == membership_status,
    ]
    if role is not None:
        conditions.append(mine.role == role)
    own = select(mine.id).where(*conditions).exists()
    if upcoming is None:
        return own
    return and_(own, event.ends_at > viewer.now if upcoming else event.ends_at <= viewer.now)


def has_tag(event: type[Event], tag: ColumnElement[str]) -> ColumnElement[bool]:
    """The event has the tag, or one of several. tag: in small letters."""
    return _tagged(event, tag).exists()


def is_tagged(event: type[Event], tag: ColumnElement[str]) -> ColumnElement[bool]:
    """`has_tag`, asked of one event after the other."""
    return probe(_tagged(event, tag))


def _tagged(event: type[Event], tag: ColumnElement[str]) -> Select[Any]:
    tagged = once_more(EventTag)
    return select(tagged.id).where(tagged.event_id == event.id, tagged.tag == tag)


def has_words(event: type[Event], words: ColumnElement[str]) -> ColumnElement[bool]:
    """The event has the words, as a search reads them."""
    # A sub-select, so that the words are read once and not for each event.
    wanted = select(func.websearch_to_tsquery(literal_column("'public.folded'::regconfig"), words)).scalar_subquery()
    return event.search.bool_op("@@")(wanted)


def is_of_verified(event: type[Event], verified: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether who organises the event has shown that their mail is theirs is as asked."""
    owner = once_more(User)
    return probe(select(owner.id).where(owner.id == event.owner_id, owner.verified_at.is_not(None))) == verified


def is_boosted(event: type[Event], moment: ColumnElement[datetime]) -> ColumnElement[bool]:
    """The event was boosted at the moment: what was boosted since ends more than a boost's time after it."""
    return and_(event.boosted_until > moment, event.boosted_until <= moment + _BOOST)


def level_sets(levels: Sequence[str]) -> list[int]:
    """The values of `level_set` that hold one of these levels."""
    wanted = sum(1 << number for number, level in enumerate(Level) if level in levels)
    return [each for each in range(1 << len(Level)) if each & wanted]


def membership_visible(member: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """Who has a place is seen by whom the event shows its members to; every other standing by oneself and the organisers."""
    event, mine = once_more(Event), once_more(EventMember)
    shows_all = select(event.id).where(event.id == member.event_id, event.members_visibility == Disclosure.PUBLIC)
    shows_inside = select(event.id).where(
        event.id == member.event_id,
        event.members_visibility == Disclosure.AFTER_JOIN,
        mine.event_id == event.id,
        mine.user_id == viewer.user_id,
        mine.status == EventMemberStatus.JOINED,
    )
    return or_(
        and_(member.status == EventMemberStatus.JOINED, or_(shows_all.exists(), shows_inside.exists())),
        member.user_id == viewer.user_id,
        runs(member.event_id, viewer),
    )


def note_visible(member: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """What organisers note of somebody is for them alone."""
    return runs(member.event_id, viewer)


def reason_visible(member: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """What somebody was told when they were rejected is for them and the organisers."""
    return or_(member.user_id == viewer.user_id, runs(member.event_id, viewer))


def version_visible(version: type[MessageVersion], viewer: Viewer) -> ColumnElement[bool]:
    """Who runs the event sees what its messages said before; of a deleted one nothing is shown to anybody."""
    message = once_more(Message)
    moderates = runs(message.room_id, viewer)
    return select(message.id).where(message.id == version.message_id, message.deleted_at.is_(None), moderates).exists()

"""What can be read of events."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from muster.chat.tables import Message, MessageVersion, Seat
from muster.chat.views import MessageView, is_occupant, last_sequence, unread_count
from muster.events.predicates import (
    event_visible,
    has_tag,
    is_seated,
    membership_visible,
    takes_part_in,
    takes_place,
    version_visible,
)
from muster.events.tables import (
    Event,
    EventMember,
    EventMemberRole,
    EventMemberStatus,
    EventStatus,
    EventTag,
    JoinMode,
    MeetingKind,
    Mode,
    Visibility,
)
from muster.identity.views import UserView
from muster.kit.caller import anyone, member
from muster.kit.db.tables import once_more
from muster.kit.views.near import near, nearest
from muster.kit.views.paging import (
    Filter,
    ascending,
    at_least,
    before,
    best_match,
    descending,
    equals,
    finder,
    in_any_case,
)
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, many, measured, one, only_if, sql
from muster.notifications.views import NotificationSubject


def waitlist_position(membership: type[EventMember], _viewer: Viewer) -> ColumnElement[int | None]:
    """One more than the number of people ahead in the queue; NULL for who does not wait."""
    ahead: Any = once_more(EventMember)
    queue = select(func.nullif(func.count(), 0)).where(
        ahead.event_id == membership.event_id, ahead.queue_number <= membership.queue_number
    )
    return queue.scalar_subquery()


def tags_of(event: type[Event], _viewer: Viewer) -> ColumnElement[list[str]]:
    """The event's tags, by the alphabet."""
    tagged = once_more(EventTag)
    listed = select(func.array_agg(aggregate_order_by(tagged.tag, tagged.tag))).where(tagged.event_id == event.id)
    return func.coalesce(listed.scalar_subquery(), array([], type_=Text()))


class EventView(View, of=Event):
    """An event.

    title: a line of plain text. description: plain text. starts_at: when it begins. ends_at: when it is over.
    timezone: the IANA name of where it takes place. online_url: where to meet; null for who has no place.
    url: its own page; null without one. address: where to meet, as people write it; null without one.
    city: where it is; null when nobody said. country: where it is; null when nobody said.
    latitude: degrees north; null without a point. longitude: degrees east; null without a point.
    distance_km: from the middle of the filter `near`, to the metre; null where the list has no such filter.
    min: the fewest people it takes place with. max: the most who get a place, the owner among them; null is unlimited.
    published_at: when it was published; null while it is a draft. cancelled_at: when it was cancelled; null when not.
    cancel_reason: why it was cancelled; null when it was not, or nobody said. joined_count: how many have a place.
    tags: in small letters, by the alphabet. created_at: when it was drafted. updated_at: when it last changed.
    version: counts its changes; give it to `updateEvent`, so that it overwrites nobody else's.
    """

    visible = event_visible
    brief = ("id", "title", "joinedCount")
    filters = {
        "text": finder("finders.events_by_text"),
        "startsAfter": at_least(Event.starts_at),
        "startsBefore": before(Event.starts_at),
        "meetingKind": equals(Event.meeting_kind),
        "joinMode": equals(Event.join_mode),
        "ownerId": equals(Event.owner_id),
        "status": equals(Event.status),
        "online": equals(Event.is_online),
        "city": in_any_case(Event.city_key),
        "country": in_any_case(Event.country_key),
        "tag": Filter(str, "With this tag, in small letters or large.", has_tag),
        "near": near(Event.latitude, Event.longitude),
    }
    orders = {
        "START": ascending(Event.starts_at),
        "NEWEST": descending(Event.created_at),
        "RELEVANCE": best_match("text"),
        "DISTANCE": nearest("near"),
    }
    example = {
        "title": "Chess in the park",
        "description": "Boards are there, bring a friend.",
        "endsAt": "2031-05-01T21:00:00.000000Z",
        "timezone": "Europe/Warsaw",
        "onlineUrl": None,
        "url": "https://chess.example/park",
        "address": "Planty, Krakow",
        "city": "Krakow",
        "country": "Poland",
        "latitude": 50.06,
        "longitude": 19.94,
        "distanceKm": 3.214,
        "max": 20,
        "joinedCount": 12,
        "cancelledAt": None,
        "cancelReason": None,
        "tags": ["chess"],
    }

    id: UUID
    title: str
    description: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    meeting_kind: MeetingKind
    online_url: str | None = only_if(is_seated)
    url: str | None
    address: str | None
    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    distance_km: float | None = measured("near")
    join_mode: JoinMode
    mode: Mode
    min: int
    max: int | None
    visibility: Visibility
    status: EventStatus
    published_at: datetime | None
    cancelled_at: datetime | None
    cancel_reason: str | None
    joined_count: int
    tags: list[str] = sql(tags_of)
    created_at: datetime
    updated_at: datetime
    version: int
    owner: UserView = one("owner_id")
    members: Page["EventMemberView"] = many("event_id")


class EventMemberView(View, of=EventMember):
    """A person's membership of an event.

    joined_at: when they got their place; null for who never had one. waitlist_position: in the queue, from 1;
    null for who does not wait.
    """

    visible = membership_visible
    within = "event"
    filters = {"status": equals(EventMember.status)}
    orders = {"ASKED": ascending(EventMember.asked_at)}

    id: UUID
    status: EventMemberStatus
    role: EventMemberRole
    joined_at: datetime | None
    waitlist_position: int | None = sql(waitlist_position)
    user: UserView = one("user_id")
    event: EventView | None = one("event_id")


NotificationSubject.add(EventView, EventMemberView)


def is_own(membership: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own membership."""
    return membership.user_id == viewer.user_id


@query("GET /events/{id}", "event", allow=anyone, stale=True)
def event(id: UUID) -> EventView | None:
    """One event, if the caller may see it."""


@query("GET /events", "events", allow=anyone, stale=True, unless={"status": takes_place})
def events() -> Page[EventView]:
    """The events that the caller may see; the cancelled ones only when their status is asked for."""


@query("GET /me/events", "myEvents", allow=member, where=takes_part_in)
def my_events(
    role: EventMemberRole | None = None,
    membership_status: EventMemberStatus | None = None,
    upcoming: bool | None = None,
) -> Page[EventView]:
    """The events that the caller has a place in or waits for, or stands to as asked for; one's drafts among them.

    role: what the caller is to the event; any when absent. membership_status: how they stand; a place or the queue when
    absent. upcoming: true for what is still to end, false for what is over; both when absent.
    """


@query("GET /events/{event_id}/members", "eventMembers", allow=anyone, stale=True)
def event_members(event_id: UUID) -> Page[EventMemberView] | None:
    """Who takes part in an event; null when the caller may not see the event."""


@query("GET /events/{event_id}/members/me", "myMembershipForEvent", allow=member, where=is_own)
def my_membership_for_event(event_id: UUID) -> EventMemberView | None:
    """The caller's own membership of an event."""


@query("GET /events/{event_id}/members/{user_id}", "eventMember", allow=anyone)
def event_member(event_id: UUID, user_id: UUID) -> EventMemberView | None:
    """One person's membership of an event."""


def in_room_of(message: Any, _viewer: Viewer, *, event_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """An event's room has the event's id."""
    condition: ColumnElement[bool] = message.room_id == event_id
    return condition


@query("GET /events/{event_id}/messages", "eventMessages", allow=member, where=in_room_of, parent=EventView)
def event_messages(event_id: UUID) -> Page[MessageView] | None:
    """What was said in an event's room, by sequence; empty for who has no seat in it, null without the event."""


@query("GET /events/{event_id}/messages/{id}", "eventMessage", allow=member, where=in_room_of, parent=EventView)
def event_message(event_id: UUID, id: UUID) -> MessageView | None:
    """One message of an event's room; null for who has no seat in it."""


class MessageVersionView(View, of=MessageVersion):
    """What a message said before it was edited.

    content: its words then. written_at: since when it said so.
    """

    visible = version_visible
    orders = {"WRITTEN": ascending(MessageVersion.written_at)}

    id: UUID
    content: str
    written_at: datetime


def of_message_in_room(version: Any, _viewer: Viewer, *, event_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The message stands in the room of the event that the address names."""
    message = once_more(Message)
    return select(message.id).where(message.id == version.message_id, message.room_id == event_id).exists()


@query(
    "GET /events/{event_id}/messages/{message_id}/versions",
    "eventMessageVersions",
    allow=member,
    where=of_message_in_room,
    parent=EventView,
)
def event_message_versions(event_id: UUID, message_id: UUID) -> Page[MessageVersionView] | None:
    """What an edited message said before, for who runs the event; empty for others, null without the event."""


class EventChatView(View, of=Seat):
    """An event's room as the viewer has it: how far they have read, and how much is new.

    read_sequence: up to where they have read; the first unread message is the first with `fromSequence` one more.
    last_sequence: of the newest message; 0 without any. unread_count: messages of others that are new. muted_at: since
    when they want no notices; null when they do.
    """

    visible = is_occupant
    within = "event"
    orders = {"NEWEST": descending()}

    id: UUID
    read_sequence: int
    last_sequence: int = sql(last_sequence)
    unread_count: int = sql(unread_count)
    muted_at: datetime | None
    event: EventView | None = one("room_id")


def is_room_of(seat: Any, _viewer: Viewer, *, event_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """The seat stands in the event's room."""
    condition: ColumnElement[bool] = seat.room_id == event_id
    return condition


@query("GET /events/{event_id}/chat", "myEventChat", allow=member, where=is_room_of)
def my_event_chat(event_id: UUID) -> EventChatView | None:
    """An event's room as the caller has it; null without a place in the event."""


@query("GET /chats", "myEventChats", allow=member)
def my_event_chats() -> Page[EventChatView]:
    """The rooms of the caller's events, those entered last first."""

"""What can be read of an event's room."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from muster.chat.tables import Message, MessageVersion, Seat
from muster.chat.views import MessageView, is_occupant, last_sequence, unread_count
from muster.events.predicates import version_visible
from muster.events.views.event import EventView
from muster.kit.caller import member
from muster.kit.db.tables import once_more
from muster.kit.views.paging import ascending, descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, sql


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

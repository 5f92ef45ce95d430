"""What can be followed live of events."""

from typing import Self
from uuid import UUID

from msgspec.structs import replace

from muster.chat.commands import MessageDeleted, MessageEdited, MessageSent
from muster.chat.views import MessageView
from muster.events.facts import (
    EventApproved,
    EventBanned,
    EventCancelled,
    EventDeleted,
    EventJoined,
    EventKicked,
    EventLeft,
    EventPromoted,
    EventPublished,
    EventRejected,
    EventRequested,
    EventRestored,
    EventRoleChanged,
    EventScheduled,
    EventUnbanned,
    EventUnpublished,
    EventUpdated,
    EventWaitlisted,
    EventWithdrawn,
)
from muster.events.predicates import is_seated
from muster.events.views import EventMemberView, EventView
from muster.kit.caller import member
from muster.kit.commands.facts import Fact
from muster.kit.realtime.signals import Presence, Signal, signals
from muster.kit.realtime.subscription import subscription

_UNTIL: dict[type[Fact], str | None] = {
    EventLeft: "user_id",
    EventKicked: "user_id",
    EventBanned: "user_id",
    EventRejected: "user_id",
    EventWithdrawn: "user_id",
    EventUnpublished: None,
    EventUpdated: None,
    EventDeleted: None,
}
"""After what somebody may not see an event any more, or have no place in it; an update may hide it."""


_MEMBERSHIP = (
    *(EventJoined, EventWaitlisted, EventRequested, EventApproved, EventRejected, EventWithdrawn, EventPromoted),
    *(EventLeft, EventKicked, EventBanned, EventUnbanned, EventRoleChanged),
)


@subscription(
    "eventMessageAdded",
    on=(MessageSent,),
    gives="message",
    row="message_id",
    topic=EventView,
    may=is_seated,
    until=_UNTIL,
    allow=member,
)
def event_message_added(event_id: UUID) -> MessageView:
    """What is said in an event's room, as it is said."""


@subscription(
    "eventMessageUpdated",
    on=(MessageEdited,),
    gives="message",
    row="message_id",
    topic=EventView,
    may=is_seated,
    until=_UNTIL,
    allow=member,
)
def event_message_updated(event_id: UUID) -> MessageView:
    """What is edited in an event's room, with its new words."""


@subscription(
    "eventMessageDeleted",
    on=(MessageDeleted,),
    gives="message",
    row="message_id",
    topic=EventView,
    may=is_seated,
    until=_UNTIL,
    allow=member,
)
def event_message_deleted(event_id: UUID) -> MessageView:
    """What is deleted in an event's room: its place, without words."""


@subscription(
    "membershipChanged",
    on=_MEMBERSHIP,
    gives="membership",
    row="member_id",
    topic=EventView,
    until=_UNTIL,
    allow=member,
)
def membership_changed(event_id: UUID) -> EventMemberView:
    """Who joins, asks, waits, is let in, promoted or refused, leaves, is removed or gets another role."""


@subscription(
    "eventUpdated",
    on=(EventPublished, EventScheduled, EventUnpublished, EventUpdated, EventCancelled, EventRestored),
    gives="event",
    row="event_id",
    topic=EventView,
    until=_UNTIL,
    allow=member,
)
def event_updated(event_id: UUID) -> EventView:
    """An event as its organisers change, publish or cancel it."""


class EventTyping(Signal):
    """Somebody types in an event's room, or has stopped.

    user_id: who. is_typing: false, too, when they have not said for three seconds that they still do.
    """

    is_typing: bool

    def lapsed(self) -> Self | None:
        """They have stopped."""
        return replace(self, is_typing=False) if self.is_typing else None


class EventPresence(Presence):
    """Who is in an event's room.

    count: how many persons, each once. arrived: who came since the element before; in the first, everybody who is there.
    left: who went since then; who is cut off goes within seconds. Each names at most 1,000.
    """


@signals("eventTyping", topic=EventView, may=is_seated, until=_UNTIL, allow=member)
def event_typing(event_id: UUID) -> EventTyping:
    """Who of the others types in an event's room, told as it happens and kept nowhere."""


@signals("eventPresence", topic=EventView, may=is_seated, until=_UNTIL, allow=member)
def event_presence(event_id: UUID) -> EventPresence:
    """Who is in an event's room now; whoever follows this is there."""

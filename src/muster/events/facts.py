"""What happens to events. Every fact about a membership has the event's id as its subject."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact


class EventCreated(Fact):
    """Somebody drafted an event."""

    kind: ClassVar[str] = "event.created"
    about: ClassVar[str] = "event_id"
    event_id: UUID


class EventPublished(Fact):
    """A draft became an event that others see."""

    kind: ClassVar[str] = "event.published"
    about: ClassVar[str] = "event_id"
    event_id: UUID


class EventImported(Fact):
    """An event came in from a file, published."""

    kind: ClassVar[str] = "event.imported"
    about: ClassVar[str] = "event_id"
    event_id: UUID


class MembershipFact(Fact):
    """Base of what happens to one person's membership."""

    kind: ClassVar[str] = "event.membership"
    about: ClassVar[str] = "event_id"
    event_id: UUID
    user_id: UUID
    member_id: UUID


class EventJoined(MembershipFact):
    """Somebody took a place."""

    kind: ClassVar[str] = "event.joined"


class EventWaitlisted(MembershipFact):
    """Somebody stood in the queue."""

    kind: ClassVar[str] = "event.waitlisted"


class EventPromoted(MembershipFact):
    """Somebody who waited got a freed place."""

    kind: ClassVar[str] = "event.promoted"


class EventLeft(MembershipFact):
    """Somebody gave their place or their turn back."""

    kind: ClassVar[str] = "event.left"


class EventKicked(MembershipFact):
    """An organiser removed somebody."""

    kind: ClassVar[str] = "event.kicked"

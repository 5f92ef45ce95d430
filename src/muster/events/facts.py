"""What happens to events. Every fact about a membership has the event's id as its subject."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from muster.events.tables import EventMemberRole
from muster.kit.commands.facts import Fact


class EventFact(Fact):
    """Base of what happens to an event itself."""

    kind: ClassVar[str] = "event"
    about: ClassVar[str] = "event_id"
    event_id: UUID


class EventCreated(EventFact):
    """Somebody drafted an event."""

    kind: ClassVar[str] = "event.created"


class EventPublished(EventFact):
    """A draft became an event that others see."""

    kind: ClassVar[str] = "event.published"


class EventScheduled(EventFact):
    """A draft is to publish itself at a moment, or at another one than before."""

    kind: ClassVar[str] = "event.scheduled"


class EventMissedPublication(EventFact):
    """The moment to publish an event was missed until it had begun, so it is a draft again."""

    kind: ClassVar[str] = "event.publication_missed"


class EventUnpublished(EventFact):
    """An event became a draft again."""

    kind: ClassVar[str] = "event.unpublished"


class EventUpdated(EventFact):
    """Organisers changed an event.

    user_id: who did. changed: the names of the fields, as clients know them. old_starts_at, old_ends_at: the times before,
    where it moved. old_max, new_max: the number of places, where that changed; None is unlimited.
    """

    kind: ClassVar[str] = "event.updated"
    user_id: UUID
    changed: list[str]
    old_starts_at: datetime | None = None
    old_ends_at: datetime | None = None
    old_max: int | None = None
    new_max: int | None = None


class EventCancelled(EventFact):
    """An event will not take place. user_id: who says so."""

    kind: ClassVar[str] = "event.cancelled"
    user_id: UUID


class EventDeleted(EventFact):
    """An event is gone for everybody. user_id: who did it; None with who organised it."""

    kind: ClassVar[str] = "event.deleted"
    user_id: UUID | None = None


class EventRestored(EventFact):
    """An event that was cancelled or deleted is back. user_id: who did it."""

    kind: ClassVar[str] = "event.restored"
    user_id: UUID


class EventOwnershipOffered(EventFact):
    """The owner of an event offered it to somebody. user_id: to whom."""

    kind: ClassVar[str] = "event.ownership_offered"
    user_id: UUID


class EventOwnershipWithdrawn(EventFact):
    """The owner of an event took their offer back. user_id: to whom it was."""

    kind: ClassVar[str] = "event.ownership_withdrawn"
    user_id: UUID


class EventOwnershipDeclined(EventFact):
    """Somebody said no to owning an event. user_id: who."""

    kind: ClassVar[str] = "event.ownership_declined"
    user_id: UUID


class EventOwnerChanged(EventFact):
    """An event has another owner. user_id: who owns it now. old_owner_id: who did."""

    kind: ClassVar[str] = "event.owner_changed"
    user_id: UUID
    old_owner_id: UUID


class EventInvitationSent(EventFact):
    """Somebody was invited, or is told once more."""

    kind: ClassVar[str] = "event.invitation_sent"
    invitation_id: UUID


class EventInvitationRevoked(EventFact):
    """An organiser took an invitation back."""

    kind: ClassVar[str] = "event.invitation_revoked"
    invitation_id: UUID


class EventInvitationAnswered(EventFact):
    """Somebody who was invited comes, or does not want to. user_id: who; None for who declined a letter."""

    kind: ClassVar[str] = "event.invitation_answered"
    user_id: UUID | None
    accepted: bool


class EventImported(EventFact):
    """An event came in from a file, published."""

    kind: ClassVar[str] = "event.imported"


class MembershipFact(Fact):
    """Base of what happens to one person's membership."""

    kind: ClassVar[str] = "event.membership"
    about: ClassVar[str] = "event_id"
    event_id: UUID
    user_id: UUID
    member_id: UUID


class EventJoined(MembershipFact):
    """Somebody took a place. was_invited: they were, so its organisers are told that they accepted."""

    kind: ClassVar[str] = "event.joined"
    was_invited: bool = False


class EventWaitlisted(MembershipFact):
    """Somebody stood in the queue."""

    kind: ClassVar[str] = "event.waitlisted"


class EventRequested(MembershipFact):
    """Somebody asked to be let in."""

    kind: ClassVar[str] = "event.requested"


class EventApproved(MembershipFact):
    """An organiser let in who asked. is_seated: to a place; else they wait for one."""

    kind: ClassVar[str] = "event.approved"
    is_seated: bool


class EventRejected(MembershipFact):
    """An organiser said no to who asked."""

    kind: ClassVar[str] = "event.rejected"


class EventWithdrawn(MembershipFact):
    """Somebody took their request back, or wants nothing of an invitation."""

    kind: ClassVar[str] = "event.withdrawn"


class EventBanned(MembershipFact):
    """An organiser keeps somebody out."""

    kind: ClassVar[str] = "event.banned"


class EventUnbanned(MembershipFact):
    """An organiser took a ban back."""

    kind: ClassVar[str] = "event.unbanned"


class EventPromoted(MembershipFact):
    """Somebody who waited got a freed place. chosen_by_id: the organiser who chose them, whatever the order."""

    kind: ClassVar[str] = "event.promoted"
    chosen_by_id: UUID | None = None


class EventOffered(MembershipFact):
    """A freed place is offered to somebody who waits, and held until a moment."""

    kind: ClassVar[str] = "event.offered"
    until: datetime


class EventOfferLapsed(MembershipFact):
    """Somebody let the time for an offered place pass, and their turn with it."""

    kind: ClassVar[str] = "event.offer_lapsed"


class EventLeft(MembershipFact):
    """Somebody gave their place or their turn back."""

    kind: ClassVar[str] = "event.left"


class EventKicked(MembershipFact):
    """An organiser removed somebody."""

    kind: ClassVar[str] = "event.kicked"


class EventRoleChanged(MembershipFact):
    """A member got another role."""

    kind: ClassVar[str] = "event.role_changed"
    role: EventMemberRole


class EventAttended(MembershipFact):
    """Somebody came."""

    kind: ClassVar[str] = "event.attended"

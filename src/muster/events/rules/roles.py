"""Who may do what in an event."""

from muster.events.tables import EventMemberRole, EventMemberStatus

ORGANISERS = (EventMemberRole.OWNER, EventMemberRole.MODERATOR)


def is_organiser(role: EventMemberRole | None, status: EventMemberStatus | None) -> bool:
    """Whether somebody runs the event. A role counts only while its membership is JOINED."""
    return status == EventMemberStatus.JOINED and role in ORGANISERS

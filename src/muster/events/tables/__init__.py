"""Tables of events."""

from muster.events.tables.event import (
    Event,
    EventPlan,
    EventStatus,
    EventTag,
    JoinMode,
    Level,
    MeetingKind,
    Mode,
    Visibility,
    WaitlistPolicy,
)
from muster.events.tables.member import ArrivalWay, Attendance, EventMember, EventMemberRole, EventMemberStatus

__all__ = [
    "ArrivalWay",
    "Attendance",
    "Event",
    "EventMember",
    "EventMemberRole",
    "EventMemberStatus",
    "EventPlan",
    "EventStatus",
    "EventTag",
    "JoinMode",
    "Level",
    "MeetingKind",
    "Mode",
    "Visibility",
    "WaitlistPolicy",
]

"""When people are told of an event's time: pure decisions, no SQL, no clock."""

from datetime import timedelta
from enum import StrEnum


class Lead(StrEnum):
    """How long before the start a reminder comes, as ISO 8601 writes durations."""

    PT24H = "PT24H"
    PT12H = "PT12H"
    PT6H = "PT6H"
    PT3H = "PT3H"
    PT1H = "PT1H"
    PT30M = "PT30M"
    PT15M = "PT15M"


MINUTES = {
    Lead.PT24H: 1440,
    Lead.PT12H: 720,
    Lead.PT6H: 360,
    Lead.PT3H: 180,
    Lead.PT1H: 60,
    Lead.PT30M: 30,
    Lead.PT15M: 15,
}
USUAL = (Lead.PT24H, Lead.PT1H)
"""The reminders of who has chosen none."""
FEEDBACK = "FEEDBACK"
"""The round in which who was there is asked how it was."""
FEEDBACK_AFTER = timedelta(hours=1)
_LATEST = 60


def late(minutes: int) -> int:
    """How many minutes after its time a reminder still goes out, where no worker ran then. minutes: its lead."""
    return min(minutes // 2, _LATEST)


def lead_time(lead: Lead) -> timedelta:
    """How long before the start a reminder is due."""
    return timedelta(minutes=MINUTES[lead])

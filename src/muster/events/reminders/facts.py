"""What is due of an event's time."""

from datetime import datetime
from typing import ClassVar

from muster.events.facts import EventFact
from muster.events.reminders.rules import Lead


class ReminderDue(EventFact):
    """An event starts soon. starts_at: as it stood then."""

    kind: ClassVar[str] = "event.reminder_due"
    lead: Lead
    starts_at: datetime


class FeedbackDue(EventFact):
    """An event has been over for an hour."""

    kind: ClassVar[str] = "event.feedback_due"

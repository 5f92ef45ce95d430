"""What happens to an event by its sponsorship."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from muster.events.facts import EventFact
from muster.events.tables import EventPlan


class EventSponsored(EventFact):
    """An event was credited boosts and local pushes, or a plan. plan: that it has now. by_id: who did; None a payment."""

    kind: ClassVar[str] = "event.sponsored"
    plan: EventPlan
    boosts: int
    pushes: int
    by_id: UUID | None = None


class EventBoosted(EventFact):
    """An organiser has lists show an event first for a while. user_id: who."""

    kind: ClassVar[str] = "event.boosted"
    user_id: UUID
    until: datetime


class EventPushed(EventFact):
    """An organiser has people nearby told of an event. user_id: who."""

    kind: ClassVar[str] = "event.pushed"
    user_id: UUID

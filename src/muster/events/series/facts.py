"""What happens to series."""

from typing import ClassVar
from uuid import UUID

from muster.events.facts import EventFact


class OccurrenceMade(EventFact):
    """A series made an event; who joined the series is to get in."""

    kind: ClassVar[str] = "event.occurrence_made"
    series_id: UUID

"""What follows announcements."""

from typing import ClassVar
from uuid import UUID

from muster.events.announcements.tables import Hearer
from muster.events.facts import EventFact


class EventAnnounced(EventFact):
    """Organisers told people something. user_id: who did. audience: of which standing these people are."""

    kind: ClassVar[str] = "event.announced"
    user_id: UUID
    announcement_id: UUID
    audience: list[Hearer]

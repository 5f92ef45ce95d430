"""The part of the oracle that knows who sees which event, and what the viewer is there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_events import sees_membership

Row = dict[str, Any]

_ATTENDS = ("JOINED", "WAITLIST", "PENDING", "INVITED")


@dataclass(frozen=True)
class Standing:
    """What one viewer is at the events of a community. members: memberships of every event."""

    events: Mapping[UUID, Row]
    members: Sequence[Row]
    me: UUID | None

    @cached_property
    def mine(self) -> dict[UUID, Row]:
        """The viewer's own memberships by event."""
        return {row["event_id"]: row for row in self.members if self.me and row["user_id"] == self.me}

    def is_seated(self, event: Row) -> bool:
        """They have a place."""
        return bool(self.mine.get(event["id"], {}).get("status") == "JOINED")

    def organises(self, event: Row) -> bool:
        """They run it."""
        return self.is_seated(event) and self.mine[event["id"]]["role"] in ("OWNER", "MODERATOR")

    def runs(self, event_id: UUID) -> bool:
        """The same, by its id."""
        return self.organises(self.events[event_id])

    def sees(self, event: Row) -> bool:
        """Deleted ones for nobody; drafts for organisers; hidden events for whom they concern; the rest for all."""
        if event["status"] == "DELETED" or self.organises(event):
            return bool(event["status"] != "DELETED")
        own = self.mine.get(event["id"])
        attends = own is not None and own["status"] in _ATTENDS
        return event["status"] in ("PUBLISHED", "CANCELLED") and (event["visibility"] == "PUBLIC" or attends)

    def seen(self, event_id: UUID) -> Row | None:
        """An event, if they see it."""
        event = self.events.get(event_id)
        return event if event and self.sees(event) else None

    def sees_membership(self, member: Row) -> bool:
        """Whether they see who is at an event."""
        return sees_membership(member, self.events[member["event_id"]], self.mine, self.me)

    def memberships(self, event: Row) -> list[Row]:
        """The memberships of a visible event that they see."""
        return [row for row in self.members if row["event_id"] == event["id"] and self.sees_membership(row)]

    def attendance(self, event: Row) -> list[Row]:
        """Who has a place, as far as they may know whether those came."""
        seated = [row for row in self.memberships(event) if row["status"] == "JOINED"]
        return seated if self.organises(event) else [row for row in seated if row["user_id"] == self.me]

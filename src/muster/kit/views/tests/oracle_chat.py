"""The part of the oracle that knows the rooms of events: what is said there, and how much of it the viewer has read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_lists import List

Row = dict[str, Any]


@dataclass(frozen=True)
class Chat:
    """The rooms of one community, as one viewer finds them. Rows are the community's.

    organises: whether the viewer runs an event.
    """

    messages: Sequence[Row]
    versions: Sequence[Row]
    all_seats: Sequence[Row]
    me: UUID | None
    organises: Callable[[UUID], bool]

    @cached_property
    def seats(self) -> dict[UUID, Row]:
        """The viewer's own seats by room."""
        return {row["room_id"]: row for row in self.all_seats if row["user_id"] == self.me}

    def fields(self) -> dict[str, Callable[[Row], Any]]:
        """What is no column, by type and field."""
        return {
            "EventChat.lastSequence": lambda seat: len(self._said_in(seat["room_id"])),
            "EventChat.unreadCount": self._unread_in,
            "Message.deletionReason": lambda said: said["deletion_reason"] if said["author_id"] == self.me else None,
        }

    def of_event(self, name: str, event_id: UUID, given: dict[str, Any]) -> List | None:
        """A list of what was said at an event; None for one of another part."""
        chosen: dict[str, object] = {"event_id": event_id}
        if name == "eventMessages":
            return List("Message", name, self._said_in(event_id) if event_id in self.seats else [], chosen)
        if name == "eventMessageVersions":
            message_id = UUID(given["messageId"])
            shown = self._versions_of(message_id, event_id)
            return List("MessageVersion", name, shown, {**chosen, "message_id": message_id})
        return None

    def _said_in(self, room_id: UUID) -> list[Row]:
        return [row for row in self.messages if row["room_id"] == room_id]

    def _unread_in(self, seat: Row) -> int:
        new = [row for row in self._said_in(seat["room_id"]) if row["sequence"] > seat["read_sequence"]]
        return len([row for row in new if row["author_id"] != self.me and row["deleted_at"] is None])

    def _versions_of(self, message_id: UUID, event_id: UUID) -> list[Row]:
        living = {row["id"] for row in self._said_in(event_id) if row["deleted_at"] is None}
        versions = [row for row in self.versions if row["message_id"] == message_id]
        return versions if message_id in living and self.organises(event_id) else []

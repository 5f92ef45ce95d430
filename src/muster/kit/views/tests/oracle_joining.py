"""What the oracle knows of joining: the rules that commands go by, asked of plain rows."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

from muster.events.rules import JoinLock, MemberDeed, Places, Terms, Verdict, decide_join, join_locks
from muster.events.tables import EventMemberStatus, EventStatus, JoinMode
from muster.kit.views.tests.oracle_values import HOSTILE, MOMENTS

Row = dict[str, Any]


STATUSES = ("JOINED", "PENDING", "INVITED", "WAITLIST", "REJECTED", "BANNED", "LEFT", "KICKED", "CANCELLED")

Fields = dict[str, Callable[[Row], Any]]
"""How fields are told that are no columns shown to everybody, by type and field."""


@dataclass(frozen=True)
class Joining:
    """What one viewer is told of joining.

    members: memberships of every event. mine: the viewer's own by event. organises: whether they run an event.
    """

    members: Sequence[Row]
    mine: Mapping[UUID, Row]
    blocks: Sequence[Row]
    me: UUID | None
    organises: Callable[[UUID], bool]

    def fields(self) -> Fields:
        """Of events and of memberships."""
        return {
            "Event.lockReason": self._lock_reason,
            "Event.canJoin": self._can_join,
            "EventMember.waitlistPosition": self._waitlist_position,
            "EventMember.answers": self._answers,
            "EventMember.guestNames": self._guest_names,
            "EventMember.note": lambda row: row["note"] if self.organises(row["event_id"]) else None,
            "EventMember.rejectReason": self._reject_reason,
            **{f"EventMemberStats.{status.lower()}": partial(self._number, status) for status in STATUSES},
        }

    def attended(self, role: str | None, status: str | None) -> list[Row]:
        """The viewer's own memberships, of who attends unless another status is asked for."""
        wanted = (status,) if status else ("JOINED", "WAITLIST")
        return [row for row in self.mine.values() if row["status"] in wanted and role in (None, row["role"])]

    def changes(self, rows: Sequence[Row], event_id: UUID, person: UUID) -> list[Row]:
        """The history of a membership, for who runs the event."""
        of_event = [row for row in rows if row["event_id"] == event_id and self.organises(event_id)]
        return [row for row in of_event if row["user_id"] == person]

    def _is_foe(self, event: Row) -> bool:
        """Whether the event's owner has blocked the viewer: to them, it looks closed by hand."""
        return any(row["user_id"] == event["owner_id"] and row["blocked_id"] == self.me for row in self.blocks)

    def _lock_reason(self, event: Row) -> str | None:
        locks = {*join_locks(_terms(event), _places(event), datetime.now(UTC))}
        locks |= {JoinLock.MANUAL} if self._is_foe(event) else set()
        return next((lock.value for lock in JoinLock if lock in locks), None)

    def _can_join(self, event: Row) -> bool:
        own = self.mine.get(event["id"])
        standing = EventMemberStatus(own["status"]) if own else None
        terms, places = _terms(event), _places(event)
        decision = decide_join(terms, places, standing, datetime.now(UTC), is_blocked=self._is_foe(event))
        return decision.verdict in (Verdict.SEATED, Verdict.WAITING, Verdict.ASKED)

    def _waitlist_position(self, member: Row) -> int | None:
        own: int | None = member["queue_number"]
        if own is None:
            return None
        queue = [row["queue_number"] for row in self.members if row["event_id"] == member["event_id"]]
        return len([number for number in queue if number is not None and number <= own])

    def _answers(self, member: Row) -> Any:
        told = member["user_id"] == self.me or self.organises(member["event_id"])
        return member.get("answers") if told else None

    def _guest_names(self, member: Row) -> list[str] | None:
        known = member["user_id"] == self.me or self.organises(member["event_id"])
        return member["guest_names"].split("\n") if known and member["guest_names"] is not None else None

    def _reject_reason(self, member: Row) -> str | None:
        told = member["user_id"] == self.me or self.organises(member["event_id"])
        return member.get("reject_reason") if told else None

    def _number(self, status: str, event: Row) -> int | None:
        there = [row for row in self.members if row["event_id"] == event["id"] and row["status"] == status]
        return len(there) if status == "JOINED" or self.organises(event["id"]) else None


def _terms(event: Row) -> Terms:
    return Terms(
        status=EventStatus(event["status"]),
        starts_at=event["starts_at"],
        ends_at=event["ends_at"],
        join_mode=JoinMode(event["join_mode"]),
        opens=event["join_opens_minutes_before_start"],
        cutoff=event["join_cutoff_minutes_before_start"],
        allows_late=event["allow_join_late"],
        late_cutoff=event["late_join_cutoff_minutes_after_start"],
        is_closed=event["join_closed_at"] is not None,
        may_ask_again=event["may_ask_again"],
    )


def _places(event: Row) -> Places:
    return Places(taken=event["joined_count"], held=event["held_count"], max=event["max"])


def changes_of(chance: random.Random, tenant: UUID, event: UUID, person: UUID, status: str) -> dict[str, object]:
    """Something that was done with a membership."""
    return {
        "tenant_id": tenant,
        "id": UUID(int=chance.getrandbits(128), version=4),
        "event_id": event,
        "user_id": person,
        "deed": chance.choice(list(MemberDeed)),
        "status": status,
        "role": "PARTICIPANT",
        "at": chance.choice(MOMENTS),
        "actor_id": chance.choice((None, person)),
        "note": chance.choice(HOSTILE),
    }

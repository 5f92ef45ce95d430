"""What the oracle knows of joining: the rules that commands go by, asked of plain rows."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from muster.events.rules import JoinLock, Places, Terms, Verdict, decide_join, join_locks
from muster.events.tables import EventMemberStatus, EventStatus, JoinMode
from muster.kit.views.tests.oracle_world import Row


def joining_fields(mine: Mapping[UUID, Row], blocks: list[Row], me: UUID | None) -> dict[str, Callable[[Row], Any]]:
    """What events tell of joining, by type and field. mine: the viewer's own memberships by event."""
    foes = {row["user_id"] for row in blocks if me and row["blocked_id"] == me}

    def lock_reason(event: Row) -> str | None:
        # To whom the owner has blocked, the event looks closed by hand.
        locks = {*join_locks(_terms(event), _places(event), datetime.now(UTC))}
        locks |= {JoinLock.MANUAL} if event["owner_id"] in foes else set()
        return next((lock.value for lock in JoinLock if lock in locks), None)

    def can_join(event: Row) -> bool:
        own = mine.get(event["id"])
        standing = EventMemberStatus(own["status"]) if own else None
        is_blocked = event["owner_id"] in foes
        decision = decide_join(_terms(event), _places(event), standing, datetime.now(UTC), is_blocked=is_blocked)
        return decision.verdict in (Verdict.SEATED, Verdict.WAITING, Verdict.ASKED)

    return {"Event.lockReason": lock_reason, "Event.canJoin": can_join}


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
    return Places(taken=event["joined_count"], max=event["max"])

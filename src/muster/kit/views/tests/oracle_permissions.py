"""What the oracle knows of who may do what with an event: the rules that the verbs ask. Nobody here has a role that helps."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from muster.events.permissions.views import REFUSALS
from muster.events.rules import LIFE, MAY, Deed, Deletion, MemberDeed, Phase, Who, acts_as, decide_deletion, may, phase
from muster.events.tables import EventMemberRole, EventMemberStatus, EventStatus

Row = dict[str, Any]

DELETIONS = {
    Deletion.DO: None,
    Deletion.OVER: "EVENT_OVER",
    Deletion.CANCEL_FIRST: "CANCEL_FIRST",
    Deletion.WAIT: "DELETED_TOO_SOON",
}
"""How the verb refuses what may not be deleted."""


def permission_fields(mine: Mapping[UUID, Row], members: Sequence[Row]) -> dict[str, Callable[[Row], Any]]:
    """What one viewer is told. mine: their memberships by event. members: everybody's."""
    joined_by_others = {row["event_id"] for row in members if row["role"] != "OWNER"}

    def roles(event: Row) -> list[str]:
        return sorted(_acts_as(mine.get(event["id"])))

    def deeds(event: Row) -> dict[str, str | None]:
        as_what, had = _acts_as(mine.get(event["id"])), event["id"] in joined_by_others
        return {deed.value: refusal(deed, event, as_what, had_members=had) for deed in MAY}

    return {
        "EventPermissions.roles": roles,
        "EventPermissions.deeds": deeds,
        "EventPermissions.sharedAt": lambda _event: None,
    }


def refusal(deed: Deed | MemberDeed, event: Row, as_what: frozenset[Who], *, had_members: bool) -> str | None:
    """Why who acts as all of these may not do it now; None where they may."""
    if not may(deed, as_what):
        return "NOT_OWNER" if may(Deed.UPDATE, as_what) else "NOT_ORGANISER"
    now = datetime.now(UTC)
    where = phase(EventStatus(event["status"]), event["ends_at"], now)
    if deed == Deed.DELETE:
        at_once = Who.COMMUNITY_ADMIN in as_what
        cancelled_at = event["cancelled_at"]
        return DELETIONS[decide_deletion(where, cancelled_at, had_members=had_members, at_once=at_once, now=now)]
    if deed == Deed.RESTORE:
        return None if where == Phase.CANCELLED else "IS_SO_ALREADY"
    return REFUSALS.get(LIFE[deed][where]) if isinstance(deed, Deed) else None


def _acts_as(own: Row | None) -> frozenset[Who]:
    role = None if own is None else EventMemberRole(own["role"])
    status = None if own is None else EventMemberStatus(own["status"])
    return acts_as(role, status, moderates=False, manages=False)

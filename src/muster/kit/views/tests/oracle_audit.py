"""The part of the oracle that knows the audit log: all of it for who may read it, and everybody's own."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_world import Row


def audit_list(name: str, rows: list[Row], me: UUID | None) -> List | None:
    """A root list of this part; None for one of another. rows: of the community."""
    if name == "auditEntries":
        return List("AuditEntry", name, rows)
    own = [row for row in rows if me in (row["actor_id"], row["acted_as"])]
    return List("MyAuditEntry", name, own) if name == "myAuditEntries" else None


def audit_fields(me: UUID | None, users: dict[UUID, Row]) -> dict[str, Callable[[Row], Any]]:
    """Fields that are not columns: people, and where staff's own machine stands, which is theirs."""
    people: dict[str, Callable[[Row], Any]] = {
        "actor": lambda row: users.get(row["actor_id"]),
        "actedAs": lambda row: users.get(row["acted_as"]),
    }
    return {
        **{f"{kind}.{name}": tell for kind in ("AuditEntry", "MyAuditEntry") for name, tell in people.items()},
        "MyAuditEntry.address": lambda row: row["address"] if row["actor_id"] == me else None,
        "MyAuditEntry.agent": lambda row: row["agent"] if row["actor_id"] == me else None,
    }

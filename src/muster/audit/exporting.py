"""The audit log as CSV or JSON Lines, the oldest first, in parts that begin where the one before ended."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec
from sqlalchemy import DateTime, Integer, Uuid, bindparam, select, tuple_

from muster.kit.commands.tables import AuditRow
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Row, Statement, columns
from muster.kit.sheets import lines

MOST = 1000
"""Rows of one part."""
NOBODY = UUID(int=0)
"""Before every id."""


class ExportFormat(StrEnum):
    """How an export is written."""

    CSV = "CSV"
    JSONL = "JSONL"


class Exported(Row):
    """An audit row as it is exported. changes: JSON, as text."""

    at: datetime
    id: UUID
    actor_kind: str
    actor_id: UUID | None
    acted_as: UUID | None
    reason: str | None
    verb: str
    outcome: str
    object_kind: str | None
    object_id: UUID | None
    address: str | None
    agent: str | None
    request_id: str
    changes: str | None


_MOMENT = DateTime(timezone=True)
_PART = Statement(
    Exported,
    select(*columns(Exported, AuditRow))
    .where(
        AuditRow.tenant_id == bindparam("tenant", type_=Uuid()),
        tuple_(AuditRow.at, AuditRow.id)
        > tuple_(bindparam("after_at", type_=_MOMENT), bindparam("after_id", type_=Uuid())),
        AuditRow.at < bindparam("until", type_=_MOMENT),
    )
    .order_by(AuditRow.at, AuditRow.id)
    .limit(bindparam("most", type_=Integer())),
)
_NAMES = Exported.__struct_fields__


async def part(
    tx: Transaction, tenant_id: UUID, *, after: tuple[datetime, UUID], until: datetime, most: int = MOST
) -> list[Exported]:
    """The rows of a tenant that follow a place, and were written before a moment."""
    return await tx.all(_PART, tenant=tenant_id, after_at=after[0], after_id=after[1], until=until, most=most)


def written(rows: Sequence[Exported], form: ExportFormat, *, is_first: bool) -> str:
    """Rows as text. is_first: nothing was written before, so that a CSV begins with its head."""
    if form == ExportFormat.CSV:
        head = [_NAMES] if is_first else []
        return lines([*head, *(msgspec.to_builtins(row).values() for row in rows)])
    return "".join(f"{_as_json(row)}\n" for row in rows)


def _as_json(row: Exported) -> str:
    told = msgspec.structs.asdict(row)
    told["changes"] = None if row.changes is None else msgspec.Raw(row.changes.encode())
    return msgspec.json.encode(told).decode()

"""What the oracle knows of the viewer's own account: rows outside all tenants."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Row = dict[str, Any]

ACCOUNT_LISTS = {"mySessions": "OpenSession", "myPasskeys": "Passkey", "myIdentities": "ExternalIdentity"}
"""Queries for rows of the account, and the types that they show."""
ACCOUNT_ROWS = ("myExport", "myIdentity", "myPasskey", "mySecondFactor")
"""Queries for one row of it."""
_TABLES = {"myIdentity": "external_identities", "myPasskey": "passkeys"}


@dataclass(frozen=True)
class Account:
    """The account of one viewer. tables: rows by table. me: None is an anonymous viewer."""

    tables: dict[str, list[Row]]
    me: UUID | None

    def rows(self, name: str) -> list[Row]:
        """The rows of a list."""
        if name == "myPasskeys":
            return self._own("passkeys")
        if name == "myIdentities":
            return self._own("external_identities")
        open_ = [row for row in self._own("sessions") if row["revoked_at"] is None]
        return [row for row in open_ if row["expires_at"] > datetime.now(UTC)]

    def row(self, name: str, given: dict[str, Any]) -> Row | None:
        """The row that a query for one gives."""
        if name in _TABLES:
            return next((row for row in self._own(_TABLES[name]) if str(row["id"]) == given["id"]), None)
        if name == "myExport":
            return next(iter(self._own("exports")), None)
        return next(iter(self._own("second_factors", "id")), None)

    def codes_left(self, _: Row) -> int:
        """How many backup codes are unused."""
        return len([row for row in self._own("backup_codes") if row["used_at"] is None])

    def _own(self, table: str, column: str = "user_id") -> list[Row]:
        return [row for row in self.tables[table] if self.me and row[column] == self.me]

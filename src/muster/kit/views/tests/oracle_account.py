"""The part of the oracle's world that is accounts, and what it knows of the viewer's own: rows outside all tenants."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_values import BASE, HOSTILE, MOMENTS

Row = dict[str, Any]

ACCOUNT_LISTS = {"mySessions": "OpenSession", "myPasskeys": "Passkey", "myIdentities": "ExternalIdentity"}
"""Queries for rows of the account, and the types that they show."""
ACCOUNT_ROWS = ("myExport", "myIdentity", "myPasskey", "mySecondFactor")
"""Queries for one row of it."""
_TABLES = {"myIdentity": "external_identities", "myPasskey": "passkeys"}


def account_of(chance: random.Random, person: UUID) -> Iterator[tuple[str, Row]]:
    """Rows of a person's account, each with its table."""
    yield from _sessions(chance, person)
    yield from _factors(chance, person)
    for _ in range(chance.choice((0, 1, 3))):
        identity = _id(chance)
        known = {"provider": "google", "issuer": "https://accounts.google.com", "subject": str(identity)}
        seen = {"email": chance.choice(HOSTILE), "created_at": chance.choice(MOMENTS), "used_at": BASE}
        yield "external_identities", {"id": identity, "user_id": person, **known, **seen}


def _sessions(chance: random.Random, person: UUID) -> Iterator[tuple[str, Row]]:
    """The person's id serves as the id of the session that they ask with."""
    for session in (person, *(_id(chance) for _ in range(chance.choice((0, 1, 3))))):
        lives: tuple[tuple[int, datetime | None], ...] = ((1, None), (-1, None), (1, BASE))
        days, revoked_at = lives[0] if session == person else chance.choice(lives)
        ends = {"expires_at": datetime.now(UTC) + timedelta(days=days), "revoked_at": revoked_at}
        begun = {"generation": 0, "created_at": chance.choice(MOMENTS), "refreshed_at": BASE}
        where = {"address": _maybe(chance, "192.0.2.1"), "agent": _maybe(chance, chance.choice(HOSTILE))}
        yield "sessions", {"id": session, "user_id": person, **begun, **ends, **where}


def _factors(chance: random.Random, person: UUID) -> Iterator[tuple[str, Row]]:
    """Second factors of some."""
    counted = {"totp": None, "totp_step": 0, "failures": 0}
    yield "second_factors", {"id": person, "totp_since": _maybe(chance, BASE), **counted}
    for number in range(chance.choice((0, 0, 1, 3))):
        credential, used = f"{person} {number}", {"used_at": _maybe(chance, BASE)}
        key = {"credential": credential, "public_key": "", "sign_count": 0, "name": chance.choice(HOSTILE)}
        made = {"id": _id(chance), "user_id": person, "created_at": chance.choice(MOMENTS)}
        yield "passkeys", {**made, **key, **used}
        yield (
            "backup_codes",
            {"id": _id(chance), "user_id": person, "hash": credential, "used_at": _maybe(chance, BASE)},
        )


def _maybe(chance: random.Random, value: object) -> object:
    return value if chance.random() < 0.6 else None


def _id(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


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

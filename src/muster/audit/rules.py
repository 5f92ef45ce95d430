"""What a seal is made of. Whoever changes a row, a seal or their order without the key cannot make the seals agree.

A row comes to an entry: its id, a digest of the whole, and a digest of the part that may be taken away. The latter is
taken with the row's salt, which goes with that part: what is left of it says nothing, and the rest can still be checked.
A seal's MAC covers its entries and the MAC of the seal before; a checkpoint's covers the checkpoint before.
"""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster.kit.commands.tables import AuditChain
from muster.kit.db.statements import Row

BEGINNING = bytes(32)
"""What stands for the MAC before the first."""
_ENTRY = 16 + 32 + 32


class Sealable(Row):
    """An audit row, with everything that is sealed of it."""

    id: UUID
    tenant_id: UUID
    at: datetime
    actor_kind: str
    actor_id: UUID | None
    acted_as: UUID | None
    reason: str | None
    verb: str
    outcome: str
    object_kind: str | None
    object_id: UUID | None
    request_id: str
    chain: AuditChain
    address: str | None
    agent: str | None
    changes: str | None
    salt: UUID | None

    @property
    def is_bare(self) -> bool:
        """Whether the part of it that may be taken away has been."""
        return self.salt is None and self.address is None and self.agent is None and self.changes is None


@dataclass(frozen=True)
class Entry:
    """What a row was when it was sealed."""

    id: UUID
    digest: bytes
    detail: bytes

    @classmethod
    def of(cls, row: Sealable) -> "Entry":
        """The entry of a row as it is now."""
        detail = _digest([row.salt, row.address, row.agent, row.changes])
        return cls(row.id, _of_whole(row, detail), detail)

    def is_of(self, row: Sealable) -> bool:
        """Whether the row still is what was sealed, or that without the part that may be taken away."""
        detail = self.detail if row.is_bare else Entry.of(row).detail
        return detail == self.detail and _of_whole(row, detail) == self.digest

    @property
    def packed(self) -> bytes:
        """Itself as bytes."""
        return self.id.bytes + self.digest + self.detail


def unpacked(entries: bytes) -> Iterator[Entry]:
    """The entries of a seal."""
    for start in range(0, len(entries), _ENTRY):
        each = entries[start : start + _ENTRY]
        yield Entry(UUID(bytes=each[:16].ljust(16, b"\0")), each[16:48], each[48:])


def size_of(entries: bytes) -> int:
    """How many rows a seal holds."""
    return len(entries) // _ENTRY


def _of_whole(row: Sealable, detail: bytes) -> bytes:
    plain = [
        row.id, row.tenant_id, row.at, row.actor_kind, row.actor_id, row.acted_as, row.reason, row.verb, row.outcome,
        row.object_kind, row.object_id, row.request_id, row.chain,
    ]  # fmt: skip
    return _digest([*plain, detail.hex()])


def _digest(values: list[object]) -> bytes:
    return hashlib.sha256(msgspec.json.encode(values)).digest()


@dataclass(frozen=True)
class Link:
    """Where something stands: the tenant, its chain, its number there, how many rows come before, and when it was made."""

    tenant_id: UUID
    chain: AuditChain
    number: int
    rows: int
    at: datetime

    def mac(self, key: bytes, kind: str, previous: bytes, sealed: bytes) -> bytes:
        """The MAC of a seal or checkpoint here. kind: one is never good as the other. sealed: what it holds."""
        where = msgspec.json.encode([kind, self.tenant_id, self.chain, self.number, self.rows, self.at])
        return hmac.digest(key, previous + hashlib.sha256(where).digest() + sealed, "sha256")


SEAL, CHECKPOINT = "seal", "checkpoint"


@lru_cache(maxsize=8)
def key_from(secret: str) -> tuple[str, bytes]:
    """The key that seals, from the deployment's secret, and its name."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"muster audit seals").derive(secret.encode())
    return hashlib.sha256(b"name of " + key).hexdigest()[:8], key


Keys = Mapping[str, bytes]
"""The keys that may have sealed, by their names."""

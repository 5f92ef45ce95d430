"""Idempotency: what became of a request that carries a key, kept with its effect in the effect's own transaction.

A repeat finds the first one's row and does nothing. Of a result the row holds the id, so a repeat reads it again.
"""

import hmac
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import msgspec

from muster.kit.caller import Origin
from muster.kit.commands.batch import Batch, Call
from muster.kit.commands.command import Command
from muster.kit.db.database import Transaction
from muster.kit.errors import AppError, BadInput, Conflict, FieldProblem, Invalid
from muster.kit.views.view import View

REPLAYED = {"Idempotency-Replayed": "true"}
"""The header of an answer that was given before."""


class IdempotencyMismatch(Invalid):
    """This idempotency key was used for another request; a new request needs a new key."""

    code, title = "IDEMPOTENCY_MISMATCH", "The key belongs to another request"


class IdempotencyInProgress(Conflict):
    """A request with this idempotency key is still running; ask again in a moment for what became of it."""

    code, title = "IDEMPOTENCY_IN_PROGRESS", "Still running"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "1"}, details={"retryAfter": 1})


class IdempotencyNotOffered(BadInput):
    """What this gives out is secret and is not kept for a repeat; send it without an idempotency key."""

    code = "IDEMPOTENCY_NOT_OFFERED"


class _Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal that kept what was written, as it was told."""

    status: int
    code: str
    title: str
    detail: str
    fields: tuple[FieldProblem, ...]
    headers: dict[str, str]
    details: dict[str, Any]

    @classmethod
    def of(cls, error: AppError) -> Self:
        return cls(
            status=error.status,
            code=error.code,
            title=error.title,
            detail=error.detail,
            fields=error.fields,
            headers=error.headers,
            details=dict(error.details),
        )


class RefusedBefore(AppError):
    """The refusal that the first request with this key was given."""

    def __init__(self, kept: _Refusal) -> None:
        super().__init__(kept.detail, fields=kept.fields, headers=kept.headers | REPLAYED, details=kept.details)
        self.status, self.code, self.title = kept.status, kept.code, kept.title


class Outcome(msgspec.Struct, frozen=True):
    """What became of a batch: what each call returned, or the refusal that ended it."""

    results: list[Any]
    refusal: _Refusal | None = None

    @classmethod
    def of(cls, results: list[Any], refusal: AppError | None) -> Self:
        """Of what the commands returned, or of the error that keeps what was written."""
        return cls(results, None if refusal is None else _Refusal.of(refusal))

    def read(self, commands: list[Command]) -> list[Any]:
        """What the commands returned. Raises RefusedBefore where it was a refusal."""
        if self.refusal is not None:
            raise RefusedBefore(self.refusal)
        return [
            msgspec.convert(result, command.returns, dec_hook=_as_view)
            for result, command in zip(self.results, commands, strict=True)
        ]

    def written(self) -> str:
        """As JSON text: of a row its id and whether it was made, of a payload its values."""
        return msgspec.json.encode(self, enc_hook=_from_view).decode()


def _from_view(result: View) -> tuple[UUID, bool]:
    return result.row_id, result.created


def _as_view(kind: type[View], kept: tuple[str, bool]) -> View:
    row_id, created = kept
    return kind.ref(UUID(row_id), created=created)


@dataclass(frozen=True)
class Key:
    """A caller's key for one request.

    id: of its row. It is made of tenant, caller and key, so nobody meets the key of somebody else.
    fingerprint: of commands and arguments, however they came in. Nobody can try out what was in them without our secret.
    """

    id: UUID
    fingerprint: str

    @classmethod
    def of(cls, text: str, batch: Batch, secret: str) -> Self:
        """The key of a batch. Raises IdempotencyNotOffered when its answer may not be kept."""
        for at, call in enumerate(batch.calls):
            if not call.command.takes_key:
                batch.at = at
                raise IdempotencyNotOffered.field("Idempotency-Key", f"is not taken by {call.command.name}; {_WHY}")
        claim = batch.origin.claim
        asked = [(call.command.name, call.arguments, *_condition(call)) for call in batch.calls]
        fingerprint = _digest(secret, "request", msgspec.json.encode(asked, order="deterministic"))
        # Who is nobody is told apart by what they ask: only who knows the whole request gets its answer.
        caller = claim.user_id or fingerprint.hex()
        digest = _digest(secret, "key", f"{claim.tenant_id} {caller} {text}".encode())
        return cls(UUID(bytes=digest[:16]), fingerprint.hex())

    @property
    def lock(self) -> int:
        """The number of its advisory lock."""
        return int.from_bytes(self.id.bytes[:8], signed=True)


def _condition(call: Call) -> tuple[str, ...]:
    return () if call.condition is None else (call.condition.asked,)


_WHY = "what it gives out is secret, and nothing of it is kept for a repeat"


def _digest(secret: str, purpose: str, message: bytes) -> bytes:
    return hmac.digest(secret.encode(), f"idempotency {purpose} ".encode() + message, "sha256")


# The row is the claim: the primary key lets one transaction have it. The lock of that transaction only spares all
# others the waiting; it goes when the transaction ends, however that comes about.
_CLAIM = """
insert into idempotency_keys (tenant_id, id, user_id, fingerprint, at)
select $1, $2, $3, $4, $5 where pg_try_advisory_xact_lock($6)
on conflict do nothing
"""
_FIND = "select fingerprint, outcome from idempotency_keys where tenant_id = $1 and id = $2"
_SETTLE = "update idempotency_keys set outcome = $3::jsonb where tenant_id = $1 and id = $2"


async def claim(tx: Transaction, key: Key, origin: Origin) -> bool:
    """Whether this transaction is the one that does what the request asks; if not, `find` what became of it."""
    who = origin.claim
    status = await tx.connection.execute(
        _CLAIM, who.tenant_id, key.id, who.user_id, key.fingerprint, origin.now, key.lock
    )
    return bool(status == "INSERT 0 1")


async def find(tx: Transaction, key: Key, tenant_id: UUID) -> Outcome | None:
    """What became of the first request with this key; None where there was none, or it has not committed.

    Raises IdempotencyMismatch when that was another request.
    """
    row = await tx.connection.fetchrow(_FIND, tenant_id, key.id)
    if row is None:
        return None
    if row["fingerprint"] != key.fingerprint:
        raise IdempotencyMismatch
    return msgspec.json.decode(row["outcome"], type=Outcome)


async def settle(tx: Transaction, tenant_id: UUID, key_id: UUID, outcome: str) -> None:
    """Keep what became of it; for where the journal, which does so by the way, is written under another tenant."""
    await tx.connection.execute(_SETTLE, tenant_id, key_id, outcome)

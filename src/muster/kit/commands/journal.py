"""The end of every command: what it writes last, its facts, their outbox rows and its audit row, in one statement.

One statement also ends many commands of one tenant that share a transaction.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec

from muster.kit.commands.context import Ctx
from muster.kit.commands.tables import AuditChain
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, SqlText, Statement
from muster.kit.ids import new_id
from muster.kit.tracing.switch import carried

_JOURNAL = """fresh as (
  select * from jsonb_to_recordset($2::jsonb)
         as f(id uuid, kind text, version bigint, aggregate_id uuid, data jsonb,
              actor_kind text, actor_id uuid, request_id text, at timestamptz, trace text)
), recorded as (
  insert into facts (tenant_id, id, kind, version, aggregate_id, data, actor_kind, actor_id, request_id, at, trace)
  select $1, id, kind, version, aggregate_id, data, actor_kind, actor_id, request_id, at, trace from fresh
), waiting as (
  insert into outbox (tenant_id, fact_id) select $1, id from fresh order by id
), audited as (
  insert into audit_rows (tenant_id, id, at, actor_kind, actor_id, acted_as, reason, verb, outcome, object_kind,
                          object_id, address, agent, request_id, chain, changes)
  select $1, id, at, actor_kind, actor_id, acted_as, reason, verb, outcome, object_kind, object_id, address, agent,
         request_id, chain, take_changes()
    from jsonb_to_recordset($3::jsonb)
         as a(id uuid, at timestamptz, actor_kind text, actor_id uuid, acted_as uuid, reason text, verb text,
              outcome text, object_kind text, object_id uuid, address text, agent text, request_id text, chain text)
  returning id
)
insert into audit_unsealed (tenant_id, id) select $1, id from audited
"""
_SETTLED = """settled as (
  update idempotency_keys as k set outcome = s.outcome
    from jsonb_to_recordset($4::jsonb) as s(id uuid, outcome jsonb) where k.tenant_id = $1 and k.id = s.id
), """
# A literal may hold a dollar, which is no parameter then.
_PARAMETER = re.compile(r"'(?:[^']|'')*'|\$(\d+)")


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit log says of a command besides who and when.

    verb: the command. outcome: `done`, or the code of the refusal. object_kind, object_id: what it was done to.
    chain: for how long it is kept.
    """

    verb: str
    outcome: str
    object_kind: str | None = None
    object_id: UUID | None = None
    address: str | None = None
    agent: str | None = None
    chain: AuditChain = AuditChain.USUAL


@dataclass(frozen=True)
class Page:
    """What one command leaves.

    trace: the step that recorded it. settled: the idempotency key of the request in this tenant, and what became of it.
    """

    ctx: Ctx
    entry: Entry
    trace: str | None
    settled: tuple[UUID, str] | None = None


async def write_journal(ctx: Ctx, entry: Entry, settled: tuple[UUID, str] | None = None) -> None:
    """Write what `ctx` has to write and recorded, and one audit row, in the command's own transaction."""
    await write_pages(ctx.db, ctx.tenant_id, [Page(ctx, entry, carried(), settled)])


async def write_pages(db: Transaction, tenant_id: UUID, pages: Sequence[Page]) -> None:
    """The same for several commands of one tenant that share a transaction."""
    gathered: dict[Statement[Nothing], list[dict[str, object]]] = {}
    for page in pages:
        for statement, row in page.ctx.writes:
            gathered.setdefault(statement, []).append(row)
    settled = [{"id": key, "outcome": msgspec.Raw(outcome.encode())} for key, outcome in _settled(pages)]
    arguments: list[object] = [tenant_id, _json(_facts(pages)), _json(_audit_rows(pages))]
    if settled:
        arguments.append(_json(settled))
    for statement, rows in gathered.items():
        arguments += statement.sql.arguments({name: [row[name] for row in rows] for name in rows[0]})
    text = _composed(tuple(statement.sql for statement in gathered), settles=bool(settled))
    await db.connection.execute(text, *arguments)


@lru_cache(maxsize=1000)
def _composed(writes: tuple[SqlText, ...], *, settles: bool) -> str:
    """The text of the journal with other statements before it. Their parameters follow those of the journal."""
    parts, taken = [], 3 + settles
    for number, sql in enumerate(writes):
        parts.append(f"write_{number} as (\n{_from_parameter(sql.text, taken)}\n), ")
        taken += len(sql.names)
    return "".join(["with ", *parts, _SETTLED if settles else "", _JOURNAL])


def _from_parameter(text: str, taken: int) -> str:
    return _PARAMETER.sub(lambda found: found[0] if found[1] is None else f"${int(found[1]) + taken}", text)


def _settled(pages: Sequence[Page]) -> Iterable[tuple[UUID, str]]:
    return (page.settled for page in pages if page.settled is not None)


def _facts(pages: Sequence[Page]) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "kind": fact.kind,
            "version": fact.version,
            "aggregate_id": fact.aggregate_id,
            "data": fact,
            "trace": page.trace,
            **_who_and_when(page.ctx),
        }
        for page in pages
        for fact in page.ctx.facts
    ]


def _audit_rows(pages: Sequence[Page]) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "reason": page.ctx.actor.reason,
            "acted_as": None if page.ctx.actor.by is None else page.ctx.actor.user_id,
            **msgspec.structs.asdict(page.entry),
            **_who_and_when(page.ctx),
            "actor_id": page.ctx.actor.by or page.ctx.actor.user_id,
        }
        for page in pages
    ]


def _who_and_when(ctx: Ctx) -> dict[str, object]:
    return {
        "actor_kind": ctx.actor.kind,
        "actor_id": ctx.actor.user_id,
        "request_id": ctx.request_id,
        "at": ctx.now,
    }


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

"""The end of every command: its facts, their outbox rows and its audit row, in one statement."""

from uuid import UUID

import msgspec

from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.ids import new_id
from muster.kit.tracing.switch import carried

_PARTS = """
fresh as (
  select * from jsonb_to_recordset($6::jsonb)
         as f(id uuid, kind text, version bigint, aggregate_id uuid, data jsonb)
), recorded as (
  insert into facts (tenant_id, id, kind, version, aggregate_id, data, actor_kind, actor_id, request_id, at, trace)
  select $1, id, kind, version, aggregate_id, data, $2, $3, $4, $5, $15 from fresh
), waiting as (
  insert into outbox (tenant_id, fact_id) select $1, id from fresh order by id
)
insert into audit_rows (tenant_id, id, at, actor_kind, actor_id, reason, verb, outcome, object_kind, object_id,
                        address, agent, request_id)
values ($1, $7, $5, $2, $3, $8, $9, $10, $11, $12, $13, $14, $4)
"""
_WRITE = f"with {_PARTS}"
_WRITE_AND_SETTLE = f"""
with settled as (
  update idempotency_keys set outcome = $17::jsonb where tenant_id = $1 and id = $16
), {_PARTS}"""  # noqa: S608 - our own text


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit log says of a command besides who and when.

    verb: the command. outcome: `done`, or the code of the refusal. object_kind, object_id: what it was done to.
    """

    verb: str
    outcome: str
    object_kind: str | None = None
    object_id: UUID | None = None
    address: str | None = None
    agent: str | None = None


def _as_recordset(facts: list[Fact]) -> str:
    rows = [
        {"id": new_id(), "kind": fact.kind, "version": fact.version, "aggregate_id": fact.aggregate_id, "data": fact}
        for fact in facts
    ]
    return msgspec.json.encode(rows).decode()


async def write_journal(ctx: Ctx, entry: Entry, settled: tuple[UUID, str] | None = None) -> None:
    """Write what `ctx` recorded, and one audit row, in the command's own transaction.

    settled: the idempotency key of the request in this tenant, and what became of it.
    """
    await ctx.db.connection.execute(
        _WRITE if settled is None else _WRITE_AND_SETTLE,
        ctx.tenant_id,
        ctx.actor.kind,
        ctx.actor.user_id,
        ctx.request_id,
        ctx.now,
        _as_recordset(ctx.facts),
        new_id(),
        ctx.actor.reason,
        entry.verb,
        entry.outcome,
        entry.object_kind,
        entry.object_id,
        entry.address,
        entry.agent,
        carried(),
        *(settled or ()),
    )

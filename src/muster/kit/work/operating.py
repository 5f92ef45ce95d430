"""What operators see of jobs, and do to them: the command line and consoles share it.

Each function runs in a transaction of the worker's role. A job's state is told in the words of other queues: `waiting`,
`delayed` (not due yet), `active`, `failed` (kept as a dead letter, with its error).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args
from uuid import UUID

import msgspec
from pgqueuer.domain.types import JOB_STATUS, JobId

from muster.kit.commands.context import Ctx
from muster.kit.commands.journal import Entry, write_journal
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Row
from muster.kit.ids import new_id
from muster.kit.work.jobs import ATTEMPTS
from muster.kit.work.queue import queue_on

State = Literal["waiting", "delayed", "active", "failed"]
STATES: tuple[State, ...] = get_args(State)

# A job's last error is in the log of its attempts; the library wraps the one that is tried again.
_JOBS = """
select q.id, q.entrypoint as queue, q.state, q.job ->> 'kind' as fact, (q.job ->> 'tenant_id')::uuid as tenant_id,
       (q.job ->> 'fact_id')::uuid as fact_id,
       case when q.state in ('active', 'failed') then least(q.attempts + 1, $1) else q.attempts end as attempts,
       q.created as queued_at, q.execute_after as due_at, q.updated as changed_at,
       (select coalesce(l.traceback #>> '{additional_context,reason}',
                        (l.traceback ->> 'exception_type') || ': ' || (l.traceback ->> 'exception_message'))
          from pgqueuer.pgqueuer_log l where l.job_id = q.id and l.traceback is not null
         order by l.created desc, l.id desc limit 1) as error,
       (q.headers ->> 'done')::float8 as done, q.headers ->> 'note' as note
  from (select *, convert_from(payload, 'UTF8')::jsonb as job,
               case when status = 'queued' and execute_after > now() then 'delayed' when status = 'queued' then 'waiting'
                    when status = 'picked' then 'active' else status::text end as state
          from (select * from pgqueuer.pgqueuer{chosen}) as chosen) as q
 order by q.id
"""
_JOB = "convert_from(payload, 'UTF8')::jsonb"
_OF_STATE: dict[State, str] = {
    "waiting": "status = 'queued' and execute_after <= now()",
    "delayed": "status = 'queued' and execute_after > now()",
    "active": "status = 'picked'",
    "failed": "status = 'failed'",
}
_LINES = """
select created as at, status::text as status, traceback ->> 'traceback' as traceback
  from pgqueuer.pgqueuer_log where job_id = $1 order by created, id
"""
_PAUSE = "insert into paused_queues (id, queue, since) values ($1, $2, $3) on conflict (queue) do nothing"
_RESUME = "delete from paused_queues where queue = $1"
_REFUSED_WHILE_QUEUED = """
select id from pgqueuer.pgqueuer f where id = any($1) and exists (
  select from pgqueuer.pgqueuer q where q.dedupe_key = f.dedupe_key and q.status in ('queued', 'picked'))
"""
# A notification holds at most 8000 bytes.
_TOLD_AT_ONCE = 300


@dataclass(frozen=True)
class Chosen:
    """Which jobs; what is None does not narrow the choice. fact: the kind of fact that they follow."""

    ids: Sequence[int] | None = None
    queue: str | None = None
    tenant_id: UUID | None = None
    fact: str | None = None
    state: State | None = None


class JobRow(Row):
    """A job. attempts: those that have begun. error: of the last one that failed. done, note: how far it says it is."""

    id: int
    queue: str
    state: State
    fact: str
    tenant_id: UUID
    fact_id: UUID
    attempts: int
    queued_at: datetime
    due_at: datetime
    changed_at: datetime
    error: str | None
    done: float | None
    note: str | None


class Line(Row):
    """What happened to a job at a moment."""

    at: datetime
    status: str
    traceback: str | None


async def find_jobs(tx: Transaction, chosen: Chosen, *, first: int | None) -> list[JobRow]:
    """The chosen jobs in the order in which they came, at most `first` of them; None is all."""
    text, values = _question(chosen, first)
    return msgspec.convert([dict(row) for row in await tx.connection.fetch(text, *values)], list[JobRow])


def _question(chosen: Chosen, first: int | None) -> tuple[str, list[object]]:
    """The statement that finds jobs, with what narrows it and nothing else: indexes are of use to no other.

    Its limit stands in the text, where the planner sees that it is small.
    """
    asked = {
        "id = any({}::bigint[])": chosen.ids,
        "entrypoint = {}": chosen.queue,
        f"{_JOB} ->> 'tenant_id' = {{}}": chosen.tenant_id and str(chosen.tenant_id),
        f"{_JOB} ->> 'kind' = {{}}": chosen.fact,
    }
    narrowed = {condition: value for condition, value in asked.items() if value is not None}
    conditions = [condition.format(f"${number}") for number, condition in enumerate(narrowed, 2)]
    conditions += [] if chosen.state is None else [_OF_STATE[chosen.state]]
    where = f" where {' and '.join(conditions)}" if conditions else ""
    limit = "" if first is None else f" order by id limit {first:d}"
    return _JOBS.replace("{chosen}", where + limit), [ATTEMPTS, *narrowed.values()]


async def lines_of(tx: Transaction, job_id: int) -> list[Line]:
    """All that happened to a job, the oldest first."""
    return msgspec.convert([dict(row) for row in await tx.connection.fetch(_LINES, job_id)], list[Line])


async def pause(ctx: Ctx, queue: str) -> None:
    """Let a queue stand still, for every worker and over restarts, until it is resumed. What runs is finished."""
    await ctx.db.connection.execute(_PAUSE, new_id(), queue, ctx.now)
    await _note(ctx, "pause", 1)


async def resume(ctx: Ctx, queue: str) -> None:
    """Let a queue go on; workers see it within a second."""
    await ctx.db.connection.execute(_RESUME, queue)
    await _note(ctx, "resume", 1)


async def retry(ctx: Ctx, chosen: Chosen) -> list[int]:
    """Queue dead letters again, with all their attempts; answers with their ids.

    One whose key another job has taken meanwhile stays: that job does its work.
    """
    ids = await _ids(ctx, chosen, ("failed",))
    taken = {row["id"] for row in await ctx.db.connection.fetch(_REFUSED_WHILE_QUEUED, ids)}
    ids = [each for each in ids if each not in taken]
    await queue_on(ctx.db.connection).requeue_jobs([JobId(each) for each in ids])
    await _note(ctx, "retry", len(ids))
    return ids


async def discard(ctx: Ctx, chosen: Chosen) -> list[int]:
    """Throw dead letters away; answers with their ids."""
    ids = await _ids(ctx, chosen, ("failed",))
    await _end(ctx, ids, "deleted")
    await _note(ctx, "discard", len(ids))
    return ids


async def cancel(ctx: Ctx, chosen: Chosen) -> list[int]:
    """Take jobs out of the queue before they are done; answers with their ids.

    One that runs is told, and ends as soon as its handler asks; it is not started again whatever becomes of it.
    """
    ids = await _ids(ctx, chosen, ("waiting", "delayed", "active"))
    await _end(ctx, ids, "canceled")
    for start in range(0, len(ids), _TOLD_AT_ONCE):
        some = ids[start : start + _TOLD_AT_ONCE]
        await queue_on(ctx.db.connection).notify_job_cancellation([JobId(each) for each in some])
    await _note(ctx, "cancel", len(ids))
    return ids


async def _end(ctx: Ctx, ids: Sequence[int], status: JOB_STATUS) -> None:
    """Take jobs out of the queue, with a line in its log."""
    end = queue_on(ctx.db.connection).qbq.build_log_job_query()
    await ctx.db.connection.execute(end, ids, [status] * len(ids), [None] * len(ids))


async def _ids(ctx: Ctx, chosen: Chosen, states: Sequence[State]) -> list[int]:
    asked = [state for state in states if chosen.state in (None, state)]
    found = [await find_jobs(ctx.db, replace(chosen, state=state), first=None) for state in asked]
    return sorted(job.id for jobs in found for job in jobs)


async def _note(ctx: Ctx, verb: str, jobs: int) -> None:
    """One row of the audit log, where something was done."""
    if jobs:
        await write_journal(ctx, Entry(verb=f"jobs {verb}", outcome="done"))

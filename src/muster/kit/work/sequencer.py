"""The sequencer: takes facts out of the outbox, gives each its position, and queues a job for each handler.

Every worker runs one; an advisory lock lets one work at a time. The lock is released when its transaction has become
visible, so positions become visible in their order: whoever asks for `position > last` never misses a fact.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import asyncpg
import msgspec
import structlog

from muster.kit.commands.facts import KINDS
from muster.kit.db.channels import FACTS, OUTBOX
from muster.kit.db.database import connect
from muster.kit.metrics import FACTS_SEQUENCED
from muster.kit.store.names import facts_channel
from muster.kit.store.store import Store
from muster.kit.tracing.switch import TRACING, Attributes
from muster.kit.waiting import set_within
from muster.kit.work.handlers import HANDLERS, Follower
from muster.kit.work.job import HandlerJob
from muster.kit.work.queue import PARKED, Queue, queue_on
from muster.kit.work.turns import Turns

if TYPE_CHECKING:
    from muster.kit.tracing.spans import Step

log = structlog.get_logger()

# Any constant will do: it only has to be the same in every worker. ("outbox" in ASCII)
_LOCK = 0x6F7574626F78
# Wake-ups may be lost with a connection; this is how late a fact is then.
_POLL_SECONDS = 0.5
_LOCKED_SECONDS = 0.02
_BATCH = 500
# A notification holds at most 8000 bytes; a UUID takes 39 of them.
_TENANTS_NAMED = 100

_TAKE = """
with next as (
  select turn from outbox order by turn limit $1
), taken as (
  delete from outbox o using next where o.turn = next.turn returning o.tenant_id, o.fact_id, o.turn
), placed as materialized (
  select tenant_id, fact_id, nextval('fact_positions') as position from (select * from taken order by turn) in_turn
)
update facts f set position = placed.position from placed
 where f.tenant_id = placed.tenant_id and f.id = placed.fact_id
returning f.tenant_id, f.id, f.kind, f.version, f.aggregate_id, f.request_id, f.position, f.trace
"""

# Jobs that wait for one of these facts; one that just now begins to wait looks again by itself.
_WAKE = """
update pgqueuer.pgqueuer q set execute_after = now()
  from unnest($1::uuid[], $2::uuid[], $3::text[]) as f(tenant_id, about, kind)
  join job_steps s on s.tenant_id = f.tenant_id and s.about = f.about and s.awaits = f.kind
 where s.awaits is not null and s.result is null and q.id = s.job_id and q.status = 'queued' and q.execute_after > now()
"""


class _Announcement(msgspec.Struct, frozen=True, omit_defaults=True):
    p: int
    t: list[UUID] | None = None


@dataclass(frozen=True)
class Batch:
    """Facts that got their positions in one transaction: how many, the highest position, and whose they are."""

    size: int = 0
    position: int = 0
    tenants: frozenset[UUID] = frozenset()

    def announcement(self) -> str:
        """What listeners are told. With many tenants none is named, and everybody looks."""
        named = sorted(self.tenants) if len(self.tenants) <= _TENANTS_NAMED else None
        return msgspec.json.encode(_Announcement(self.position, named)).decode()


class Steps:
    """The steps of one batch in the traces of its facts: each fact's own, since each was led to by another request."""

    def __init__(self, rows: Sequence[asyncpg.Record], began: int) -> None:
        """began: nanoseconds since 1970."""
        self._of: dict[UUID, Step] = {}
        if (spans := TRACING.spans) is None:
            return
        for row in (row for row in rows if row["trace"] is not None):
            told: Attributes = {"muster.tenant_id": str(row["tenant_id"]), "muster.batch.size": len(rows)}
            self._of[row["id"]] = spans.begin(f"sequence {row['kind']}", told, after=row["trace"], began=began)

    def trace_of(self, row: asyncpg.Record) -> str | None:
        """What a job that follows the fact follows in its trace."""
        step = self._of.get(row["id"])
        trace: str | None = row["trace"]
        return trace if step is None else step.carried

    def end(self) -> None:
        """The batch is there for everybody."""
        for step in self._of.values():
            step.end()


class Sequencer:
    """Empties the outbox for as long as it runs."""

    def __init__(self, url: str, store: Store | None = None) -> None:
        """url: of the worker role, on a connection that LISTEN works on (no transaction pooler).

        store: where else it is said that facts have their positions.
        """
        self._url = url
        self._store, self._channel = store, "" if store is None else facts_channel(store.prefix)
        self._woken = asyncio.Event()
        self._parked: set[tuple[str, int]] = set()

    def wake(self) -> None:
        """Say that there are facts in the outbox."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set (and `wake` called). Raises what the driver raises when the connection is lost."""
        connection = await connect(self._url)
        try:
            await connection.add_listener(OUTBOX, lambda *_: self.wake())
            queue = queue_on(connection)
            while not stop.is_set():
                self._woken.clear()
                batch = await self._take(connection, queue)
                if batch is None:
                    # Another worker has the lock, perhaps since before our facts were written.
                    await set_within(self._woken, _LOCKED_SECONDS)
                elif batch.size < _BATCH:
                    await set_within(self._woken, _POLL_SECONDS)
        finally:
            await connection.close()

    async def _take(self, connection: asyncpg.Connection, queue: Queue) -> Batch | None:
        """Sequence one batch and announce it; None when another worker is at it."""
        async with connection.transaction():
            if not await connection.fetchval("select pg_try_advisory_xact_lock($1)", _LOCK):
                return None
            began = time.time_ns()
            rows = await connection.fetch(_TAKE, _BATCH)
            steps = Steps(rows, began)
            await self._enqueue(connection, queue, sorted(rows, key=lambda row: int(row["position"])), steps)
            if rows:
                facts = [(row["tenant_id"], row["aggregate_id"], row["kind"]) for row in rows]
                await connection.execute(_WAKE, *map(list, zip(*facts, strict=True)))
        if not rows:
            return Batch()
        FACTS_SEQUENCED.inc(len(rows))
        batch = Batch(len(rows), max(row["position"] for row in rows), frozenset(row["tenant_id"] for row in rows))
        # Outside the transaction: NOTIFY inside would let only one transaction of the whole server commit at a time.
        told = batch.announcement()
        if self._store is not None and self._store.is_there:
            self._store.ask("PUBLISH", self._channel, told)
        await connection.execute("select pg_notify($1, $2)", FACTS, told)
        steps.end()
        return batch

    async def _enqueue(
        self, connection: asyncpg.Connection, queue: Queue, rows: Sequence[asyncpg.Record], steps: Steps
    ) -> None:
        """Queue a job for each fact and handler, each in its tenant's turn."""
        following = [(row, follower) for row in rows for follower in self._followers(row["kind"], row["version"])]
        if not following:
            return
        turns = await Turns.of(connection, [(each.name, row["tenant_id"], each.terms) for row, each in following])
        # Facts that one job gathers have one key, under which the first counts.
        jobs = {_key(row, follower): (row, follower) for row, follower in reversed(following)}
        placed = [
            (key, row, follower.name, turns.take(follower.name, row["tenant_id"], follower.terms))
            for key, (row, follower) in reversed(jobs.items())
        ]
        await queue.enqueue(
            [name for _, _, name, _ in placed],
            [_payload(row, steps.trace_of(row)) for _, row, _, _ in placed],
            [turn.priority for _, _, _, turn in placed],
            [turn.parked for _, _, _, turn in placed],
            dedupe_key=[key for key, _, _, _ in placed],
            headers=[PARKED if turn.parked else None for _, _, _, turn in placed],
            on_conflict="skip",
        )

    def _followers(self, kind: str, version: int) -> tuple[Follower, ...]:
        """Who follows; nobody follows a fact that this release does not know, and that is logged once."""
        fact = KINDS.get((kind, version))
        if fact is None and (kind, version) not in self._parked:
            self._parked.add((kind, version))
            log.warning("fact.parked", kind=kind, version=version)
        return () if fact is None else HANDLERS.get(fact, ())


def _key(row: asyncpg.Record, follower: Follower) -> str:
    """By which a job is not queued twice while one of the same key waits. The tenant stands first: keys never cross it."""
    of = row["aggregate_id"] if follower.terms.gathers else row["id"]
    return f"{row['tenant_id']}:{of}:{follower.name}"


def _payload(row: asyncpg.Record, trace: str | None) -> bytes:
    return msgspec.json.encode(
        HandlerJob(
            tenant_id=row["tenant_id"],
            fact_id=row["id"],
            kind=row["kind"],
            version=row["version"],
            request_id=row["request_id"],
            trace=trace,
        )
    )

"""How many jobs there are, by queue and state: for the command line, for the operator's endpoint, and for the console."""

from collections.abc import Sequence

import asyncpg

from muster.kit.db.database import Database
from muster.kit.db.statements import Row
from muster.kit.metrics import FACTS_LAG, FACTS_WAITING, JOBS

_STATS = "select * from finders.queue_stats()"
_OUTBOX = """
select (select count(*) from outbox) as waiting,
       coalesce((select extract(epoch from now() - f.at)::float8
                   from (select * from outbox order by turn limit 1) o
                   join facts f on f.tenant_id = o.tenant_id and f.id = o.fact_id), 0) as lag
"""
_STATES = ("waiting", "active", "completed", "failed", "delayed", "paused")


class QueueRow(Row):
    """How many jobs a queue has in each state. completed, failed: as many as are kept. paused: those that would wait."""

    name: str
    waiting: int
    active: int
    completed: int
    failed: int
    delayed: int
    paused: int


async def queue_stats(connection: asyncpg.Connection, known: Sequence[str]) -> list[QueueRow]:
    """The numbers of every queue, by name. known: queues that are told of though they are empty."""
    found = {row["name"]: QueueRow(**dict(row)) for row in await connection.fetch(_STATS)}
    empty = {
        name: QueueRow(name=name, waiting=0, active=0, completed=0, failed=0, delayed=0, paused=0) for name in known
    }
    return [row for _, row in sorted((empty | found).items())]


async def report_work(database: Database, known: Sequence[str]) -> None:
    """Bring the gauges of facts and jobs up to date. database: as the worker, who sees them of every tenant."""
    async with database.connection() as connection:
        queues = await queue_stats(connection, known)
        outbox = await connection.fetchrow(_OUTBOX)
    for queue in queues:
        for state in _STATES:
            JOBS.labels(queue.name, state).set(getattr(queue, state))
    assert outbox is not None
    FACTS_WAITING.set(outbox["waiting"])
    FACTS_LAG.set(outbox["lag"])

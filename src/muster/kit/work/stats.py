"""How many jobs there are, by queue and state: for the command line, for the operator's endpoint, and for the console."""

from collections.abc import Sequence

import asyncpg

from muster.kit.db.statements import Row

_STATS = "select * from finders.queue_stats()"


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

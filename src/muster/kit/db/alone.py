"""The one process that counts rates for itself. With a second one on the same database, everybody would have twice as much."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog

from muster.kit.db.database import connect
from muster.kit.processes import CannotRun

log = structlog.get_logger()

# Held by the session, so the server lets go of it in the moment in which the process is gone, however it ended.
_TAKE = "select pg_try_advisory_lock(hashtextextended('rates are counted by one process', 0))"
# Where the whole machine is gone, nobody says so: the server asks after these seconds of silence.
_KEEP_ALIVE = "set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 3"
_PATIENCE_SECONDS = 3.0
_RETRY_SECONDS = 0.1
_RETAKE_SECONDS = 1.0


@asynccontextmanager
async def counting_alone(url: str) -> AsyncIterator[None]:
    """Be the only process that counts for itself. url: of a connection past any pooler, held meanwhile.

    Raises CannotRun while there is another.
    """
    connection = await connect(url)
    keeping: asyncio.Task[None] | None = None
    try:
        await _take_in_time(connection)
        keeping = asyncio.create_task(_keep(url, connection))
        yield
    finally:
        if keeping is None:
            await connection.close()
        else:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


async def _take_in_time(connection: asyncpg.Connection) -> None:
    """Take the lock, with patience for one who is just leaving."""
    await connection.execute(_KEEP_ALIVE)
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while not await connection.fetchval(_TAKE):
        if time.monotonic() > give_up:
            raise CannotRun(
                "Another process of the API serves from this database, and each of them would count rates for itself: "
                "set REDIS_URL to a Valkey or Redis that both reach, or let the other one end before this one starts."
            )
        await asyncio.sleep(_RETRY_SECONDS)


async def _keep(url: str, connection: asyncpg.Connection) -> None:
    """Hold the lock until cancelled; take it again when the connection breaks."""
    try:
        while True:
            lost = asyncio.Event()
            connection.add_termination_listener(lambda _, lost=lost: lost.set())
            if not connection.is_closed():
                await lost.wait()
            connection = await _again(url)
    finally:
        await connection.close()


async def _again(url: str) -> asyncpg.Connection:
    """A new connection that holds the lock. Whoever took it meanwhile counts apart from us, which the log tells."""
    while True:
        await asyncio.sleep(_RETAKE_SECONDS)
        try:
            connection = await connect(url)
        except (OSError, asyncpg.PostgresError):
            continue
        try:
            await _take_in_time(connection)
        except CannotRun as refusal:
            log.warning("rates.are_counted_apart", remedy=str(refusal))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            log.warning("rates.lock_is_lost")
        else:
            return connection
        await connection.close()

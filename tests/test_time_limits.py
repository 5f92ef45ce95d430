"""What takes too long: ended by the server, told to the client in a sentence, and nothing of it stays."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from muster.kit.db.database import Database
from muster.kit.db.failures import as_client_error
from muster.kit.db.migrate import Urls
from muster.kit.db.time_limits import TimeLimits
from muster.kit.errors import Unavailable
from muster.testing.below import snapshot
from muster.testing.client import Way
from muster.testing.people import Standing
from muster.testing.serving import serving
from muster.testing.town import Town, moved

ANY_ID = UUID(int=1)

OUT_OF_TIME = {
    "DATABASE_LOCK_TIMEOUT": "changing the same thing",
    "DATABASE_STATEMENT_TIMEOUT": "longer than it may",
}


@asynccontextmanager
async def _held(town: Town) -> AsyncIterator[None]:
    """Somebody else has the event's row meanwhile, and does not let go."""
    connection = await asyncpg.connect(town.service.urls.app)
    async with connection.transaction():
        await connection.execute("select set_config('muster.tenant', $1, true)", str(town.tenant_id))
        assert await connection.fetchval("select id from events where id = $1 for update", town.event_id)
        yield
    await connection.close()


@pytest.mark.parametrize("setting", OUT_OF_TIME)
async def test_who_waits_too_long_is_told_and_nothing_happened(town: Town, setting: str) -> None:
    async with serving(town.service.urls, **{setting: "1"}) as hurried:
        outsider = moved(town, hurried).client(Standing.OUTSIDER)
        before = await snapshot(town.service.urls)
        async with _held(town):
            answers = await asyncio.gather(
                *(outsider.call("joinEvent", way=way, eventId=town.event_id) for way in Way),
            )
        for answer in answers:
            assert (answer.status, answer.code) == (503, "UNAVAILABLE")
            assert OUT_OF_TIME[setting] in str(answer.problem)
        assert await snapshot(town.service.urls) == before
        (await outsider.call("joinEvent", eventId=town.event_id)).ok()


async def test_without_a_connection_one_is_told_to_come_again(urls: Urls) -> None:
    database = await Database.open(urls.app, size=1, limits=TimeLimits(connection=1))
    async with database.connection():
        for ask in (database.row("select 1", ()), _begin(database)):
            with pytest.raises(TimeoutError) as ended:
                await ask
            assert isinstance(as_client_error(ended.value), Unavailable)
    await _begin(database)
    await database.close()


async def _begin(database: Database) -> None:
    async with database.transaction(ANY_ID):
        pass


async def test_a_long_transaction_is_ended_and_its_connection_replaced(urls: Urls) -> None:
    database = await Database.open(urls.worker, size=1, limits=TimeLimits(transaction=1))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as ended:
        await _pause_slowly(database)
    assert isinstance(as_client_error(ended.value), Unavailable)
    row = await database.row("select count(*) as paused from paused_queues", ())
    assert row is not None
    assert row["paused"] == 0
    await database.close()


async def _pause_slowly(database: Database) -> None:
    async with database.transaction(ANY_ID) as tx:
        await tx.connection.execute("insert into paused_queues (id, queue, since) values ($1, 'x', now())", ANY_ID)
        for _ in range(60):
            await tx.connection.execute("select pg_sleep(0.1)")

"""Reads that travel together: each gets its own answer, and none suffers from its companions."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from structlog.testing import capture_logs

from muster.kit.db.database import Database, connect
from muster.kit.db.migrate import Urls
from muster.kit.db.slow import SLOW
from muster.kit.metrics import SLOW_QUERIES
from muster.kit.observing import observed
from muster.testing.serving import settings_for

# As every compiled read does, it names its tenant in the first column and reads under it in the next.
OWN = "select set_config('muster.tenant', $1, true) is null, current_setting('muster.tenant') as tenant"
DIVIDE = "select 60 / $1::int as quotient"
SLEEP = "select pg_sleep($1), clock_timestamp() as at"


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    database = await Database.open(urls.app, size=6)
    for text, argument in ((OWN, "known"), (DIVIDE, 1), (SLEEP, 0.0)):
        # The first runs prepare the statement; how long it takes shows afterwards.
        for _ in range(12):
            await database.row(text, (argument,))
    yield database
    await database.close()


async def _commits(url: str) -> int:
    """How many transactions this database has ended, those that are over included."""
    connection = await asyncpg.connect(url)
    await connection.execute("select pg_stat_force_next_flush()")
    found: int = await connection.fetchval(
        "select xact_commit from pg_stat_database where datname = current_database()"
    )
    await connection.close()
    return found


async def test_a_crowd_makes_few_trips_and_each_gets_its_own(database: Database, urls: Urls) -> None:
    before = await _commits(urls.app)
    tenants = [str(UUID(int=number)) for number in range(400)]
    rows = await asyncio.gather(*(database.row(OWN, (tenant,)) for tenant in tenants))
    assert [row and row["tenant"] for row in rows] == tenants
    # Backends report what they did when they fall idle, a little later.
    await database.close()
    assert await _commits(urls.app) - before < 200


async def test_what_is_slow_is_a_setting_and_holds_for_every_connection(urls: Urls) -> None:
    settings = settings_for(urls, DATABASE_SLOW_QUERY_MS="20")
    with capture_logs() as lines:
        async with observed(settings, "test"):
            connection = await connect(urls.worker)
            for seconds in (0.0, 0.05):
                await connection.execute("select pg_sleep($1)", seconds)
            await connection.close()
    assert [line["statement"] for line in lines if line["event"] == "db.slow_query"] == ["select pg_sleep($1)"]
    assert SLOW.seconds == 0.5


async def test_one_that_fails_fails_alone(database: Database) -> None:
    divisors = [number % 5 for number in range(1, 60)]
    rows = await asyncio.gather(*(database.row(DIVIDE, (each,)) for each in divisors), return_exceptions=True)
    for divisor, row in zip(divisors, rows, strict=True):
        if divisor:
            assert isinstance(row, asyncpg.Record)
            assert row["quotient"] == 60 // divisor
        else:
            assert isinstance(row, asyncpg.DivisionByZeroError)


async def test_a_value_that_the_driver_cannot_send_fails_alone(database: Database) -> None:
    given: list[object] = [1, "two", 3, 4, 5]
    rows = await asyncio.gather(*(database.row(DIVIDE, (each,)) for each in given), return_exceptions=True)
    assert [row["quotient"] if isinstance(row, asyncpg.Record) else type(row) for row in rows] == [
        60,
        asyncpg.DataError,
        20,
        15,
        12,
    ]


async def test_who_gives_up_leaves_the_others_their_answers(database: Database) -> None:
    reads = [asyncio.create_task(database.row(OWN, (str(number),))) for number in range(40)]
    await asyncio.sleep(0)
    for read in reads[::2]:
        read.cancel()
    rows = await asyncio.gather(*reads, return_exceptions=True)
    assert all(isinstance(row, asyncio.CancelledError) for row in rows[::2])
    assert [row["tenant"] for row in rows[1::2] if isinstance(row, asyncpg.Record)] == [str(n) for n in range(1, 40, 2)]


async def test_a_trip_whose_connection_is_lost_is_made_again(database: Database, urls: Urls) -> None:
    reads = [asyncio.create_task(database.row(SLEEP, (0.05,))) for _ in range(30)]
    other = await asyncpg.connect(urls.app)
    async with asyncio.timeout(20):
        while not await other.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid() and wait_event = 'PgSleep'"
        ):
            # Nothing to wait for here: asking again is the wait.
            continue
    await other.close()
    async with asyncio.timeout(20):
        rows = await asyncio.gather(*reads)
    assert all(row is not None for row in rows)


async def test_slow_ones_hold_nobody_up(database: Database) -> None:
    # More of them than there are lanes, of a statement that was fast until now.
    slow = [asyncio.create_task(database.row(SLEEP, (5,))) for _ in range(5)]
    async with asyncio.timeout(4):
        rows = await asyncio.gather(*(database.row(OWN, (str(number),)) for number in range(50)))
    assert len(rows) == 50
    assert not any(read.done() for read in slow)
    for read in slow:
        read.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_without_a_connection_each_is_told_so(database: Database) -> None:
    await database.close()
    rows = await asyncio.gather(*(database.row(OWN, (str(number),)) for number in range(50)), return_exceptions=True)
    assert all(isinstance(row, asyncpg.InterfaceError) for row in rows)


async def test_a_slow_statement_is_told_without_its_values(database: Database) -> None:
    before = SLOW_QUERIES._value.get()
    with capture_logs() as told:
        await asyncio.gather(database.row(SLEEP, (SLOW.seconds,)), database.row(OWN, ("known",)))
    assert [(each["event"], each["statement"]) for each in told] == [("db.slow_query", SLEEP)]
    assert SLOW_QUERIES._value.get() == before + 1

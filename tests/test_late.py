"""A late transaction begins with its first statement, and is one from then on."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from muster.kit.db.database import Database, Transaction
from muster.kit.db.late import late_transaction
from muster.kit.db.migrate import Urls

TENANT = UUID(int=7)
_STATE = "select current_setting('muster.tenant') as tenant, txid_current() as transaction"
_WRITE = "insert into paused_queues (id, queue, since) values (uuidv7(), $1, now())"


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    database = await Database.open(urls.worker, size=1)
    yield database
    await database.close()


async def written(database: Database) -> int:
    async with database.connection() as connection:
        number: int = await connection.fetchval("select count(*) from paused_queues")
    return number


async def test_where_nothing_is_asked_no_connection_is_taken(database: Database) -> None:
    async with database.connection(), asyncio.timeout(5), late_transaction(database, TENANT) as tx:
        assert isinstance(tx, Transaction)


async def test_all_statements_share_one_transaction_under_the_tenant(database: Database) -> None:
    async with late_transaction(database, TENANT) as tx:
        first = await tx.connection.fetchrow(_STATE)
        await tx.connection.executemany(_WRITE, [["one"], ["two"]])
        (second,) = await tx.connection.fetch(_STATE)
        assert first == second
        assert first is not None
        assert first["tenant"] == str(TENANT)
        assert first["transaction"] == await tx.connection.fetchval("select txid_current()")
    assert await written(database) == 2


async def test_an_error_rolls_back_and_is_passed_on(database: Database) -> None:
    async def fail() -> None:
        async with late_transaction(database, TENANT) as tx:
            await tx.connection.execute(_WRITE, "one")
            raise ValueError("what went wrong")

    with pytest.raises(ValueError, match="what went wrong"):
        await fail()
    assert await written(database) == 0

"""Connections that go from one request to the next: never two users at once, nobody left waiting, nothing broken kept."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls

TENANT = UUID(int=1)


async def _backend(database: Database) -> int:
    row = await database.row("select pg_backend_pid() as pid", ())
    assert row is not None
    pid: int = row["pid"]
    return pid


async def test_one_after_the_other_shares_a_connection_and_a_crowd_gets_its_turn(urls: Urls) -> None:
    database = await Database.open(urls.app, size=2)
    assert len({await _backend(database) for _ in range(5)}) == 1
    users: set[int] = set()
    most = 0

    async def use(connection: asyncpg.Connection) -> None:
        nonlocal most
        pid = await connection.fetchval("select pg_backend_pid()")
        assert pid not in users, "two requests at once on one connection"
        users.add(pid)
        most = max(most, len(users))
        await connection.fetchval("select pg_sleep(0.01)")
        users.remove(pid)

    async def read() -> None:
        async with database.connection() as connection:
            await use(connection)

    async def write() -> None:
        async with database.transaction(TENANT) as transaction:
            await use(transaction.connection)

    async with asyncio.timeout(20):
        await asyncio.gather(*(each() for _ in range(20) for each in (read, write)))
        assert most == 2
        await database.close()


async def test_a_request_that_is_cut_off_leaves_no_connection_behind(urls: Urls) -> None:
    database = await Database.open(urls.app, size=1)
    for _ in range(3):
        slow = asyncio.create_task(database.row("select pg_sleep(60)", ()))
        await asyncio.sleep(0)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        with pytest.raises(asyncpg.DivisionByZeroError):
            await database.row("select 1 / 0", ())
        async with asyncio.timeout(10):
            await _backend(database)
    await database.close()


async def test_once_the_server_is_back_nobody_meets_the_connections_it_ended(urls: Urls) -> None:
    database = await Database.open(urls.app, size=4)
    ended = [asyncio.Event() for _ in range(4)]
    async with AsyncExitStack() as stack:
        for event in ended:
            connection = await stack.enter_async_context(database.connection())
            connection.add_termination_listener(lambda _, event=event: event.set())
    other = await asyncpg.connect(urls.app)
    await other.fetch(
        """
        select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
        """
    )
    await other.close()
    async with asyncio.timeout(10):
        await asyncio.gather(*(event.wait() for event in ended))
        for _ in ended:
            await _backend(database)
    await database.close()


async def test_a_connection_that_the_server_ended_is_replaced(urls: Urls) -> None:
    database = await Database.open(urls.app, size=1)
    pid = await _backend(database)
    other = await asyncpg.connect(urls.app)
    assert await other.fetchval("select pg_terminate_backend($1)", pid)
    await other.close()
    async with asyncio.timeout(10):
        while True:
            try:
                following = await _backend(database)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                continue
            break
    assert following != pid
    await database.close()

"""What the tests of the worker share: two facts, services on a database of the test's own, and ways to wait."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import asyncpg
from sqlalchemy import Text, literal

from muster.kit.caller import Gate
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.facts import Fact
from muster.kit.commands.system import system_transaction
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.kit.work.sequencer import Sequencer
from muster.settings import Settings

TENANT = UUID(int=1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Happened(Fact):
    """What the tests record."""

    kind: ClassVar[str] = "test.happened"
    about: ClassVar[str] = "thing_id"
    thing_id: UUID
    number: int = 0


class Followed(Fact):
    """What handlers record, for a test to see that they ran."""

    kind: ClassVar[str] = "test.followed"
    about: ClassVar[str] = "thing_id"
    thing_id: UUID
    number: int = 0


async def answer(ctx: Ctx, fact: Happened) -> None:
    """A handler that leaves a trace."""
    ctx.record(Followed(thing_id=fact.thing_id, number=fact.number))


def settings() -> Settings:
    """Settings that ask for nothing outside the test."""
    return Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32})


@asynccontextmanager
async def services_on(url: str, wake: Callable[[], None] = lambda: None) -> AsyncIterator[Services]:
    """Services as the role in `url`."""
    database = await Database.open(url, size=6)
    gate = Gate(lookup=lambda _claim: literal("{}", Text()), permissions=lambda _role: frozenset())
    try:
        yield Services(database, settings(), gate, wake)
    finally:
        await database.close()


async def record(services: Services, *facts: Fact, tenant_id: UUID = TENANT) -> None:
    """Record facts as a command does, in one transaction."""
    async with system_transaction(
        services, tenant_id=tenant_id, verb="test", reason="a test", now=NOW, request_id=f"test-{new_id()}"
    ) as ctx:
        for fact in facts:
            ctx.record(fact)


@asynccontextmanager
async def running(loop: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """A loop of the worker that runs meanwhile, and is stopped as the worker stops it."""
    stop = asyncio.Event()
    task = asyncio.ensure_future(loop(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 15)


async def count(url: str, query: str, *values: object) -> int:
    """The number a query answers with, on a connection of its own that may see every tenant's facts."""
    connection = await asyncpg.connect(url)
    try:
        number: int = await connection.fetchval(query, *values)
        return number
    finally:
        await connection.close()


async def eventually(url: str, expected: int, query: str, *values: object, seconds: float = 10) -> None:
    """Wait until a query answers with a number. Raises TimeoutError when it does not."""
    async with asyncio.timeout(seconds):
        while await count(url, query, *values) != expected:  # noqa: ASYNC110 - the other side is a database
            await asyncio.sleep(0.02)


async def queued(urls: Urls, *facts: Fact, tenant_id: UUID = TENANT) -> None:
    """Record facts and sequence them: the jobs that follow wait in the queue."""
    sequencer = Sequencer(urls.worker)
    async with services_on(urls.app, sequencer.wake) as services, running(sequencer.run):
        await record(services, *facts, tenant_id=tenant_id)
        await eventually(urls.worker, 0, "select count(*) from outbox")

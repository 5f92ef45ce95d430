"""Late transactions: those that begin with their first statement, and cost nothing where there is none."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast
from uuid import UUID

import asyncpg

from muster.kit.db.database import Database, Transaction


@asynccontextmanager
async def late_transaction(database: Database, tenant_id: UUID) -> AsyncIterator[Transaction]:
    """A transaction under one tenant; commits at the end, rolls back on any error.

    Whoever finds nothing to do takes no connection and makes no trip.
    """
    async with AsyncExitStack() as stack:

        async def begin() -> asyncpg.Connection:
            return (await stack.enter_async_context(database.transaction(tenant_id))).connection

        yield Transaction(cast("asyncpg.Connection", _Late(begin)))


class _Late:
    """Stands in for the connection until something is asked of it. Like a connection, it is asked one thing at a time."""

    def __init__(self, begin: Callable[[], Awaitable[asyncpg.Connection]]) -> None:
        self._begin = begin
        self._begun: asyncpg.Connection | None = None

    async def _there(self) -> asyncpg.Connection:
        if self._begun is None:
            self._begun = await self._begin()
        return self._begun

    async def execute(self, query: str, *arguments: object) -> str:
        return await (await self._there()).execute(query, *arguments)

    async def executemany(self, query: str, rows: Iterable[Sequence[object]]) -> None:
        await (await self._there()).executemany(query, rows)

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        return await (await self._there()).fetch(query, *arguments)

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        return await (await self._there()).fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        return await (await self._there()).fetchval(query, *arguments)

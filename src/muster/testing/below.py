"""A look below row security, as the owner in maintenance: to arrange what no endpoint does yet, and to compare."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from muster.kit.db.migrate import Urls
from muster.kit.db.tables import MAINTENANCE_SETTING, Table

Rows = dict[str, list[str]]
"""By table, every row as JSON text, sorted."""


@asynccontextmanager
async def maintenance(urls: Urls) -> AsyncIterator[asyncpg.Connection]:
    """A connection that sees the rows of every tenant."""
    connection = await asyncpg.connect(urls.owner, server_settings={MAINTENANCE_SETTING: "on"})
    try:
        yield connection
    finally:
        await connection.close()


async def change(urls: Urls, statement: str, *values: object) -> None:
    """Run one statement over the rows of every tenant."""
    async with maintenance(urls) as connection:
        await connection.execute(statement, *values)


async def ask(urls: Urls, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows that a query over every tenant gives."""
    async with maintenance(urls) as connection:
        return [tuple(row) for row in await connection.fetch(query, *values)]


async def value(urls: Urls, query: str, *values: object) -> Any:
    """The one value that a query over every tenant gives."""
    async with maintenance(urls) as connection:
        return await connection.fetchval(query, *values)


async def snapshot(urls: Urls, *, tenant_id: UUID | None = None, without: Iterable[str] = ()) -> Rows:
    """Every row of every table, or those of one tenant, for a comparison before and after.

    tenant_id: tables without a tenant are left out then. without: names of tables to leave out.
    """
    async with maintenance(urls) as connection:
        return {
            table.name: await _rows(connection, table.name, tenant_id)
            for table in Table.metadata.sorted_tables
            if table.name not in without and (tenant_id is None or "tenant_id" in table.columns)
        }


async def _rows(connection: asyncpg.Connection, table: str, tenant_id: UUID | None) -> list[str]:
    where, values = ("", ()) if tenant_id is None else (" where t.tenant_id = $1", (tenant_id,))
    rows = await connection.fetch(f"select to_jsonb(t)::text from {table} t{where} order by 1", *values)  # noqa: S608 - our tables' names
    return [row[0] for row in rows]

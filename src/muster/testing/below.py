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
        return await snapshot_over(connection, tenant_id=tenant_id, without=without)


async def snapshot_over(
    connection: asyncpg.Connection, *, tenant_id: UUID | None = None, without: Iterable[str] = ()
) -> Rows:
    """The same over a connection from `maintenance`, for those who look often: to connect costs more than to look."""
    tables = [
        name
        for name, table in Table.metadata.tables.items()
        if name not in without
        and (tenant_id is None or "tenant_id" in table.columns)
        # Which audit rows wait for their seal is no more than which there are.
        and name != "audit_unsealed"
    ]
    condition = "" if tenant_id is None else f" where t.tenant_id = '{tenant_id}'"
    selects = (f"select '{table}', to_jsonb(t)::text from {table} t{condition}" for table in tables)  # noqa: S608 - our own names
    found: Rows = {table: [] for table in tables}
    for table, row in await connection.fetch(" union all ".join(selects) + " order by 1, 2"):
        found[table].append(row)
    return found

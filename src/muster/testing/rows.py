"""Row security itself, table by table: what a role sees and may write while another tenant is entered."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from muster.kit.db.migrate import Urls
from muster.kit.db.tables import MAINTENANCE_SETTING, TENANT_SETTING, GlobalTable, Table
from muster.kit.ids import new_id
from muster.testing.town import Town

# Where a role reaches across tenants by a policy that `cross` made; `docs/security/` lists the reasons.
_CROSSINGS = {
    ("worker", "facts"),
    ("worker", "outbox"),
    ("worker", "rooms"),
    ("worker", "event_members"),
    ("worker", "audit_unsealed"),
    ("worker", "idempotency_keys"),
    ("worker", "job_steps"),
}


@dataclass(frozen=True)
class Eyes:
    """Connections that look at rows as each role does, kept open: to connect takes longer than to look.

    roles: the two that serve, by name. owner: by what `muster.maintenance` says.
    """

    roles: dict[str, asyncpg.Connection]
    owner: dict[str, asyncpg.Connection]

    async def violations(self, victim: Town, intruder: Town, *, tables: Sequence[str]) -> list[str]:
        """Every way past row security from the intruder's tenant into the victim's rows, and every lock too tight.

        tables: those to try; both towns must have a row in each.
        """
        found = list[str]()
        for role, connection in self.roles.items():
            for table in tables:
                found += await _of_role(connection, role, table, victim.tenant_id, intruder.tenant_id)
        for maintenance, connection in self.owner.items():
            seen = {table for table in tables if await _seen(connection, table, victim.tenant_id)}
            wrong = set(tables) - seen if maintenance == "on" else seen
            found += [f"the owner's view of {table} is wrong with maintenance {maintenance}" for table in sorted(wrong)]
        return found


@asynccontextmanager
async def eyes(urls: Urls) -> AsyncIterator[Eyes]:
    """Eyes on a database."""
    async with AsyncExitStack() as stack:

        async def connected(url: str, **settings: str) -> asyncpg.Connection:
            connection = await asyncpg.connect(url, server_settings=settings)
            stack.push_async_callback(connection.close)
            return connection

        roles = {"app": await connected(urls.app), "worker": await connected(urls.worker)}
        owner = {each: await connected(urls.owner, **{MAINTENANCE_SETTING: each}) for each in ("on", "off")}
        yield Eyes(roles, owner)


async def row_violations(victim: Town, intruder: Town, *, tables: Sequence[str]) -> list[str]:
    """The same, asked once."""
    async with eyes(victim.service.urls) as each:
        return await each.violations(victim, intruder, tables=tables)


def isolated_tables() -> list[str]:
    """The tables whose rows belong to tenants, and not those that are asked before any tenant is known."""
    outside = {mapper.local_table for mapper in Table.registry.mappers if issubclass(mapper.class_, GlobalTable)}
    every = Table.metadata.sorted_tables
    return [table.name for table in every if "tenant_id" in table.columns and table not in outside]


async def _of_role(connection: asyncpg.Connection, role: str, table: str, victim: UUID, intruder: UUID) -> list[str]:
    crosses, found = (role, table) in _CROSSINGS, list[str]()
    async with _entered(connection, None):
        if not crosses and await _seen(connection, table, None):
            found.append(f"{role} sees rows of {table} without a tenant")
    async with _entered(connection, intruder):
        if not crosses and await _seen(connection, table, victim):
            found.append(f"{role} sees rows of {table} of another tenant")
        if not await _refused(connection, table, victim):
            found.append(f"{role} may write rows into {table} of another tenant")
    async with _entered(connection, victim):
        if await _may(connection, table, "select") and not await _seen(connection, table, victim):
            found.append(f"{role} does not see the rows of {table} of the tenant it is in")
        if await _may(connection, table, "insert") and await _refused(connection, table, victim):
            found.append(f"{role} may not write rows into {table} of the tenant it is in")
    return found


@asynccontextmanager
async def _entered(connection: asyncpg.Connection, tenant_id: UUID | None) -> AsyncIterator[None]:
    """A transaction under a tenant (or none) that leaves nothing behind."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        named = "" if tenant_id is None else str(tenant_id)
        await connection.execute("select set_config($1, $2, true)", TENANT_SETTING, named)
        yield
    finally:
        await transaction.rollback()


async def _may(connection: asyncpg.Connection, table: str, privilege: str) -> bool:
    granted: bool = await connection.fetchval("select has_table_privilege($1, $2)", table, privilege)
    return granted


async def _seen(connection: asyncpg.Connection, table: str, tenant_id: UUID | None) -> bool:
    """Whether the role sees a row, of one tenant or of any."""
    if not await _may(connection, table, "select"):
        return False
    where = "" if tenant_id is None else f" where tenant_id = '{tenant_id}'"
    seen: bool = await connection.fetchval(f"select exists (select from {table}{where})")  # noqa: S608 - our own names
    return seen


async def _refused(connection: asyncpg.Connection, table: str, tenant_id: UUID) -> bool:
    """Whether row security refuses a new row of a tenant. Nothing is left of a row that it lets in."""
    if not await _may(connection, table, "insert"):
        return True
    keys = [column.name for column in Table.metadata.tables[table].primary_key.columns]
    values = [f"'{tenant_id}'" if key == "tenant_id" else f"'{new_id()}'" for key in keys]
    statement = f"insert into {table} ({', '.join(keys)}) values ({', '.join(values)})"  # noqa: S608 - our own names
    try:
        async with connection.transaction():
            await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    except asyncpg.IntegrityConstraintViolationError:
        # Row security is asked before constraints are.
        return False
    return False

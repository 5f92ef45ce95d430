"""An audit log for tests: sealed, verified, and changed below everything that guards it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg

import muster.schedule  # noqa: F401 - what is due
from muster.access.gate import GATE
from muster.audit import jobs
from muster.audit.rules import key_from
from muster.audit.verifying import Kind, Look, Report, Terms, verify
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.kit.commands.tables import AuditChain
from muster.kit.db.database import SESSION, Database, Transaction
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import MAINTENANCE_SETTING
from muster.testing.serving import settings_for

SOON = timedelta(seconds=10)
_GUARDED = ("audit_rows", "audit_seals", "audit_checkpoints")


@asynccontextmanager
async def as_worker(urls: Urls) -> AsyncIterator[Services]:
    """What the worker runs on, for `tick`."""
    database = await Database.open(urls.worker, size=2)
    try:
        yield Services(database, settings_for(urls), GATE, wake=lambda: None)
    finally:
        await database.close()


async def seal(services: Services, tenant_id: UUID) -> None:
    """Seal what waits in one tenant, and put a checkpoint behind it."""
    async with system_transaction(
        services, tenant_id=tenant_id, verb="audit.seal", reason="a test", now=datetime.now(UTC), request_id="test"
    ) as ctx:
        await jobs.seal(ctx)
        await jobs.mark(ctx)


async def verified(services: Services, tenant_id: UUID, chain: AuditChain = AuditChain.USUAL) -> Report:
    """What the verification of a chain finds."""
    secret = services.settings.security.jwt_secret
    return await verified_by(lambda: services.database.transaction(tenant_id), secret, tenant_id, chain)


async def verified_by(
    look: Look,
    secret: str,
    tenant_id: UUID,
    chain: AuditChain = AuditChain.USUAL,
    *,
    ends: dict[int, str] | None = None,
) -> Report:
    """The same, by whatever transactions. ends: of earlier reports."""
    terms = Terms(tenant_id, chain, dict([key_from(secret)]), datetime.now(UTC), timedelta(days=90), ends or {})
    *_, report = [each async for each in verify(look, terms)]
    return report


def found(report: Report) -> set[tuple[Kind, int | UUID | None]]:
    """What is wrong, and where."""
    return {(each.kind, each.row_id or each.number) for each in report.breaks}


@asynccontextmanager
async def tampering(urls: Urls) -> AsyncIterator[asyncpg.Connection]:
    """The tables' owner, with every trigger that guards them off; what they did is undone at the end."""
    connection = await asyncpg.connect(urls.owner, server_settings={MAINTENANCE_SETTING: "on"} | SESSION)
    undone = connection.transaction()
    await undone.start()
    try:
        for table in _GUARDED:
            await connection.execute(f"alter table {table} disable trigger user")
        yield connection
    finally:
        await undone.rollback()
        await connection.close()


def looking(connection: asyncpg.Connection) -> Look:
    """Looks by one connection, in the transaction that it is in."""

    @asynccontextmanager
    async def look() -> AsyncIterator[Transaction]:
        yield Transaction(connection)

    return look

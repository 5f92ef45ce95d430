"""The system as an actor: handlers, jobs and the schedule run commands' functions in transactions of their own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from muster.kit.caller import Actor
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.journal import Entry, write_journal
from muster.kit.db.late import late_transaction


@asynccontextmanager
async def system_transaction(
    services: Services, *, tenant_id: UUID, verb: str, reason: str, now: datetime, request_id: str
) -> AsyncIterator[Ctx]:
    """A transaction under one tenant in which the system acts. Where something happened, it is journalled.

    It begins with its first statement: a handler that finds nothing to do makes no trip to the database.

    verb: what runs. reason: why, for the audit log. request_id: of the request that led to it.
    """
    async with late_transaction(services.database, tenant_id) as tx:
        actor = Actor("system", reason=reason)
        ctx = Ctx(tx, tenant_id, actor, now, request_id, services.settings, gives=services.gate.gives)
        yield ctx
        if ctx.has_happened:
            await write_journal(ctx, Entry(verb=verb, outcome="done"))
    if ctx.facts:
        services.wake()

"""Errands: handlers that make their own transactions, between which none is open.

Those that act outside the database, so that nothing waits for them; and those with much to write, in many short ones.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar
from uuid import UUID

from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.facts import Fact
from muster.kit.commands.system import system_transaction
from muster.kit.work.job import HandlerJob
from muster.kit.work.terms import Priority, Terms

F = TypeVar("F", bound=Fact)

_PROGRESS = """
update pgqueuer.pgqueuer
   set headers = coalesce(nullif(headers, 'null'), '{}') || jsonb_build_object('done', $2::float8, 'note', $3::text)
 where id = $1
"""
_THERE = "select exists (select from pgqueuer.pgqueuer where id = $1)"


@dataclass(frozen=True)
class Errand:
    """One run of a handler: what it runs on, and the transactions it makes.

    call: the fact it follows. verb: the handler's name, for the audit log. job_id: of the job that this is a run of.
    """

    services: Services
    call: HandlerJob
    verb: str
    job_id: int

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID | None = None) -> AsyncIterator[Ctx]:
        """A transaction under the fact's tenant, or another. Keep it short, and the outside out of it."""
        async with system_transaction(
            self.services,
            tenant_id=tenant_id or self.call.tenant_id,
            verb=self.verb,
            reason=f"follows {self.call.kind}",
            now=datetime.now(UTC),
            request_id=self.call.request_id,
        ) as ctx:
            ctx.cause = self.call.fact_id
            yield ctx

    async def progress(self, done: float, note: str = "") -> None:
        """Say how far it is, for operators to see. done: from 0 to 1. note: a few words, without personal data."""
        async with self.services.database.connection() as connection:
            await connection.execute(_PROGRESS, self.job_id, min(max(done, 0.0), 1.0), note)

    async def cancelled(self) -> bool:
        """Whether nobody wants it done any more; a handler that runs long asks now and then, and returns.

        A cancelled job is out of the queue, so whatever the handler does it is not run again.
        """
        async with self.services.database.connection() as connection:
            there: bool = await connection.fetchval(_THERE, self.job_id)
        return not there


@dataclass(frozen=True)
class Outside(Generic[F]):
    """A handler that is given an errand instead of a transaction."""

    function: Callable[[Errand, F], Awaitable[None]]
    terms: Terms


def outside(
    function: Callable[[Errand, F], Awaitable[None]],
    *,
    at_once: int,
    tenant_at_once: int = 0,
    priority: Priority = Priority.NORMAL,
    gathers: bool = False,
) -> Outside[F]:
    """Mark a handler that acts outside any transaction but its own, where the table of handlers names it.

    One that acts outside the database claims in one transaction, acts, and notes the result in another. Killed in between, it runs again; what it
    does outside therefore carries a key by which a repeat is known.
    at_once: how many may run, on all workers together; whoever is slow outside then holds up nobody else's jobs.
    tenant_at_once, priority, gathers: as in `Terms`.
    """
    return Outside(function, Terms(at_once, tenant_at_once, priority, gathers))


class NotYet(Exception):
    """Raised by a handler that wants to run again later, as often as it likes; it is no failure.

    after: when. The handler itself keeps count of how often, and knows when to give up.
    """

    def __init__(self, reason: str, *, after: timedelta) -> None:
        self.after = after
        super().__init__(reason)

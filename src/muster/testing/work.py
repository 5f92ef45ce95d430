"""The worker of a test: its sequencer and its jobs, in the test's own process, until nothing is left to do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

import muster.handlers
import muster.schedule
import muster.slices  # noqa: F401 - the tables of contents: what they import is declared
from muster.access.gate import GATE
from muster.kit.commands.context import Services
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.db.pooled import PooledDatabase
from muster.kit.work.jobs import run_jobs
from muster.kit.work.schedule import tick
from muster.kit.work.sequencer import Sequencer
from muster.tenancy.branding import brand_of
from muster.testing.serving import settings_for

_LEFT = """
select (select count(*) from outbox) + count(*) filter (where status in ('queued', 'picked')) as open,
       coalesce(string_agg(entrypoint, ', ') filter (where status in ('exception', 'failed')), '') as failed
  from pgqueuer.pgqueuer
"""
_PATIENCE = 20.0
"""Seconds that work may take before the test fails."""


@dataclass(frozen=True)
class Work:
    """A running worker."""

    services: Services
    _look: asyncpg.Connection
    _sequencer: Sequencer

    async def quiet(self, *, seconds: float = _PATIENCE) -> None:
        """Wait until every fact is sequenced and every job done. Fails the test when a job failed for good.

        seconds: how long at most; then TimeoutError.
        """
        async with asyncio.timeout(seconds):
            while True:
                self._sequencer.wake()
                left = await self._look.fetchrow(_LEFT)
                assert left is not None
                assert not left["failed"], f"failed for good: {left['failed']}"
                if not left["open"]:
                    return
                await asyncio.sleep(0.02)

    async def number(self, query: str) -> int:
        """The one number that a query of the worker gives."""
        found: int = await self._look.fetchval(query)
        return found

    async def pass_to(self, now: datetime) -> None:
        """Do what is due by a moment, and what follows from it."""
        await tick(self.services, now)
        await self.quiet()


@asynccontextmanager
async def working(urls: Urls, **environ: str) -> AsyncIterator[Work]:
    """A worker on a database meanwhile, stopped as the real one stops. environ: as in `settings_for`."""
    settings = settings_for(urls, **environ)
    kind = PooledDatabase if settings.database.pooled else Database
    database = await kind.open(settings.database.worker_url or urls.worker, size=6)
    look = await asyncpg.connect(urls.worker)
    sequencer = Sequencer(urls.worker)
    services = Services(database, settings, GATE, sequencer.wake, brand_of=brand_of)
    stop = asyncio.Event()
    loops = [
        asyncio.create_task(sequencer.run(stop)),
        asyncio.create_task(run_jobs(services, urls.worker, stop)),
    ]
    try:
        yield Work(services, look, sequencer)
    finally:
        stop.set()
        sequencer.wake()
        ended = await asyncio.gather(*loops, return_exceptions=True)
        await look.close()
        await database.close()
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome


async def drain(urls: Urls, *, seconds: float = _PATIENCE) -> None:
    """Do all the work there is, and stop. seconds: how long at most; then TimeoutError."""
    async with working(urls) as work:
        await work.quiet(seconds=seconds)

"""The worker: sequences facts, runs what follows them, and starts what is due."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial

import structlog
import uvloop

import muster.handlers
import muster.schedule
import muster.slices  # noqa: F401 - the three tables of contents: what they import is declared
from muster.access.catalogue import refuse_undeclared
from muster.access.gate import GATE
from muster.kit.commands.context import Services
from muster.kit.db.database import Database
from muster.kit.db.failures import as_client_error
from muster.kit.db.opening import sound_database
from muster.kit.endpoints.exposition import Exposition, Look, exposed, siblings_of
from muster.kit.errors import Unavailable
from muster.kit.observing import observed
from muster.kit.processes import CannotRun, settle
from muster.kit.store.names import prefix_of
from muster.kit.store.store import opened_store
from muster.kit.waiting import set_within
from muster.kit.work.handlers import followers
from muster.kit.work.jobs import DRAIN_SECONDS, run_jobs
from muster.kit.work.schedule import tick
from muster.kit.work.sequencer import Sequencer
from muster.kit.work.stats import report_work
from muster.settings import Settings
from muster.tenancy.branding import brand_of

log = structlog.get_logger()

# Of handlers and the schedule; the sequencer and the queue have a connection each besides.
_CONNECTIONS = 8
_TICK_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish the jobs that run.

    Raises CannotRun when there is no database, or one that is not migrated or would let tenants meet.
    """
    uvloop.run(_work(settings))


async def _work(settings: Settings) -> None:
    refuse_undeclared()
    terms = settings.database
    if terms.worker_url is None:
        raise CannotRun("The worker needs a database: set DATABASE_WORKER_URL, or use `muster up`.")
    if settings.is_production and settings.mail.smtp_url is None:
        log.warning("mail.is_not_sent", remedy="Set SMTP_URL: without mail nobody can verify an account.")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with (
        observed(settings, "worker"),
        sound_database(
            terms.worker_url,
            size=_CONNECTIONS,
            process="The worker",
            setting="DATABASE_WORKER_URL",
            limits=terms.worker_limits,
            pooled=terms.pooled,
        ) as database,
        opened_store(settings.store, prefix_of(settings.security.jwt_secret), is_needed=False) as store,
        _measured(settings, database),
    ):
        url = terms.worker_direct_url or terms.worker_url
        sequencer = Sequencer(url, store)
        services = Services(database, settings, GATE, sequencer.wake, brand_of=brand_of)
        settle()
        log.info("worker.started")
        loops = [
            asyncio.create_task(_keep("sequencer", stop, lambda: sequencer.run(stop))),
            asyncio.create_task(_keep("jobs", stop, lambda: run_jobs(services, url, stop))),
            asyncio.create_task(_keep("schedule", stop, lambda: _tick(services, stop))),
        ]
        await stop.wait()
        sequencer.wake()
        await asyncio.wait(loops, timeout=DRAIN_SECONDS + 2)
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
    log.info("worker.stopped")


def _measured(settings: Settings, database: Database) -> AbstractAsyncContextManager[None]:
    """Show what the worker has measured meanwhile, where a setting says so."""
    looks: list[Look] = [database.report_use, partial(report_work, database, sorted(followers()))]
    exposition = Exposition(settings.metrics.token, looks, siblings_of(settings))
    return exposed(exposition, settings.metrics.worker_bind, "MUSTER_WORKER_METRICS_BIND")


async def _keep(name: str, stop: asyncio.Event, loop: Callable[[], Awaitable[None]]) -> None:
    """Start a loop again, a moment later, whenever it ends by an error: the database may have been restarted."""
    while not stop.is_set():
        try:
            await loop()
        except Exception as error:
            if isinstance(as_client_error(error), Unavailable):
                log.warning("worker.loop_restarts", loop=name, error=repr(error))
            else:
                log.exception("worker.loop_failed", loop=name)
            await set_within(stop, _RECONNECT_SECONDS)


async def _tick(services: Services, stop: asyncio.Event) -> None:
    while not stop.is_set():
        await tick(services, datetime.now(UTC))
        await set_within(stop, _TICK_SECONDS)

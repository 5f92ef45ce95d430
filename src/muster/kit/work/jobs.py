"""The job runner: runs handlers as jobs, tries again what fails, and keeps what goes on failing."""

import asyncio
import random
import time
from datetime import timedelta
from functools import partial

import msgspec
import structlog
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job

from muster.kit.commands.context import Services
from muster.kit.db.database import connect
from muster.kit.metrics import JOB_SECONDS, JOBS_DONE
from muster.kit.tracing.switch import Attributes, follow
from muster.kit.work.desk import Desk
from muster.kit.work.errands import Errand, NotYet
from muster.kit.work.facts import Facts
from muster.kit.work.handlers import Follower, followers
from muster.kit.work.job import HandlerJob
from muster.kit.work.queue import NAMES, PutOff, Queue, queue_on

log = structlog.get_logger()

ATTEMPTS = 8
"""How often a job is tried before it is kept as failed; the waits between double from 1 s to 64 s."""
DRAIN_SECONDS = 10.0
"""How long running jobs may take when the worker stops; what is not done by then is queued again."""

# A worker that dies stops its heartbeat. Its jobs are taken over this much later, at the next look at the queue.
_HEARTBEAT = timedelta(seconds=15)
# How late a job is when its notification was lost.
_LOOK = timedelta(seconds=1)
_BATCH = 30
_AT_ONCE = 60
# Of the worker's eight connections: the others are for handlers that make their own transactions, and for the schedule.
_SERVED = 6


class WorkersDied(Exception):
    """A job that every worker died of so far; another attempt would take the next one down."""


async def run_jobs(services: Services, url: str, stop: asyncio.Event) -> None:
    """Run jobs until `stop` is set, then let those that run finish.

    A job of a handler that is not registered here waits in the queue for a worker that has it.
    url: of the worker role, on a connection that LISTEN works on. Raises what the driver raises when it is lost.
    """
    connection = await connect(url)
    try:
        limits = {name: each.terms.tenant_at_once for name, each in followers().items() if each.terms.tenant_at_once}
        queue = queue_on(connection, limits)
        await _report_strangers(queue)
        manager = QueueManager(queue, channel=NAMES.channel)
        facts, desk = Facts(services.database), Desk(_SERVED)
        for follower in followers().values():
            entry = manager.entrypoint(
                follower.name, concurrency_limit=follower.terms.at_once, on_failure="hold", accepts_context=False
            )
            entry(partial(_follow, services, queue, facts, desk, follower))
        running = asyncio.create_task(
            manager.run(
                dequeue_timeout=_LOOK,
                batch_size=_BATCH,
                max_concurrent_tasks=_AT_ONCE,
                heartbeat_timeout=_HEARTBEAT,
                shutdown_on_listener_failure=True,
                # Its sums are not used, and rewrite every line of the log.
                log_aggregation_interval=timedelta(0),
            )
        )
        await _until_stopped(running, manager, stop)
    finally:
        await connection.close()


async def _report_strangers(queue: Queue) -> None:
    """Say which jobs wait for handlers of another release: after the last one is gone, nobody else would."""
    known = followers()
    for waiting in await queue.queue_size():
        if waiting.entrypoint not in known:
            log.warning("jobs.without_handler", handler=waiting.entrypoint, status=waiting.status, jobs=waiting.count)


async def _until_stopped(running: asyncio.Task[None], manager: QueueManager, stop: asyncio.Event) -> None:
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        manager.shutdown.set()
        await asyncio.wait({running}, timeout=DRAIN_SECONDS if stop.is_set() else None)
    finally:
        stopped.cancel()
        if not running.done():
            running.cancel()
            await asyncio.wait({running})
    if not running.cancelled():
        running.result()


async def _follow(services: Services, queue: Queue, facts: Facts, desk: Desk, follower: Follower, job: Job) -> None:
    """One attempt of one job."""
    call = msgspec.json.decode(job.payload or b"", type=HandlerJob)
    with structlog.contextvars.bound_contextvars(
        request_id=call.request_id,
        tenant_id=str(call.tenant_id),
        handler=follower.name,
        fact_id=str(call.fact_id),
    ):
        if job.attempts >= ATTEMPTS:
            JOBS_DONE.labels(follower.name, "failed").inc()
            killer = WorkersDied(
                f"{ATTEMPTS} attempts ended without a word: it takes its worker down, or holds it up too long"
            )
            log.error("handler.failed", attempt=job.attempts, exc_info=killer)
            raise killer
        try:
            if follower.terms.gathers:
                await queue.start_gathering_anew(job.id)
            await _attempt(follower, Errand(services, call, follower.name, job.id), facts, desk, job.attempts + 1)
        finally:
            if follower.terms.tenant_at_once:
                await queue.give_place(job)


async def _attempt(follower: Follower, errand: Errand, facts: Facts, desk: Desk, attempt: int) -> None:
    """Run the handler; what it raises says what becomes of the job. attempt: 1 is the first."""
    began, outcome = time.perf_counter(), "done"
    call = errand.call
    told: Attributes = {
        "muster.fact": call.kind,
        "muster.tenant_id": str(call.tenant_id),
        "muster.request_id": call.request_id,
        "muster.attempt": attempt,
    }
    try:
        with follow(call.trace, f"job {follower.name}", told, calm=(NotYet, asyncio.CancelledError)):
            await _handle(follower, errand, facts, desk)
    except asyncio.CancelledError:
        outcome = "put_off"
        # The library would take a cancelled job for one that nobody wants any more.
        raise PutOff(reason="the worker stopped before the handler was done") from None
    except NotYet as later:
        outcome = "put_off"
        log.info("handler.not_yet", attempt=attempt, reason=str(later))
        raise PutOff(delay=later.after, reason=str(later)) from None
    except Exception as error:
        if attempt >= ATTEMPTS:
            outcome = "failed"
            log.exception("handler.failed", attempt=attempt)
            raise
        outcome = "retried"
        log.warning("handler.retried", attempt=attempt, attempts=ATTEMPTS, exc_info=True)
        raise RetryRequested(delay=backoff(attempt), reason=repr(error)) from error
    finally:
        JOBS_DONE.labels(follower.name, outcome).inc()
        JOB_SECONDS.labels(follower.name).observe(time.perf_counter() - began)


def backoff(attempt: int) -> timedelta:
    """How long to wait after a failed attempt: doubled each time, and scattered so that many do not return at once.

    attempt: 1 is the first.
    """
    return timedelta(seconds=2 ** (attempt - 1) * random.uniform(0.75, 1.25))


async def _handle(follower: Follower, errand: Errand, facts: Facts, desk: Desk) -> None:
    fact = await facts.of(errand.call)
    if fact is None:
        return
    if follower.outside:
        await follower.function(errand, fact)
        return
    async with desk.place(errand.call.tenant_id), errand.transaction() as ctx:
        await follower.function(ctx, fact)

"""What operators do to jobs: look, pause, queue again, throw away, cancel; and what is kept of those that ended."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import pytest

from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.work import jobs, operating, retention
from muster.kit.work.handlers import on
from muster.kit.work.jobs import run_jobs
from muster.kit.work.operating import Chosen
from muster.kit.work.stats import queue_stats
from muster.kit.work.tests.support import Followed, Happened, answer, count, eventually, queued, running, services_on

ALL = "select count(*) from pgqueuer.pgqueuer"
HELD = "select count(*) from pgqueuer.pgqueuer where status = 'failed'"
FOLLOWED = "select count(*) from facts where kind = 'test.followed'"
QUEUE = "kit.work.tests.support.answer"


@asynccontextmanager
async def operator(services: Services, *, now: datetime | None = None) -> AsyncIterator[Ctx]:
    """A transaction of somebody who puts jobs right."""
    async with system_transaction(
        services,
        tenant_id=PLATFORM_TENANT,
        verb="jobs",
        reason="a test",
        now=now or datetime.now(UTC),
        request_id="test",
    ) as ctx:
        yield ctx


async def test_a_paused_queue_stands_still_for_every_worker_and_over_restarts(urls: Urls) -> None:
    ran = asyncio.Event()

    async def other(ctx: Ctx, fact: Followed) -> None:
        ran.set()

    on(Happened, answer)
    on(Followed, other)
    async with services_on(urls.worker) as services:
        async with operator(services) as ctx:
            await operating.pause(ctx, QUEUE)
            await operating.pause(ctx, QUEUE)
        await queued(urls, Happened(thing_id=uuid4()))
        for thing in (uuid4(), uuid4()):
            await queued(urls, Followed(thing_id=thing))
            ran.clear()
            first, second = partial(run_jobs, services, urls.worker), partial(run_jobs, services, urls.worker)
            async with running(first), running(second):
                await asyncio.wait_for(ran.wait(), 5)
                await eventually(urls.worker, 1, ALL)
        async with operator(services) as ctx:
            [still] = [each for each in await queue_stats(ctx.db.connection, [QUEUE]) if each.name == QUEUE]
            await operating.resume(ctx, QUEUE)
        assert (still.paused, still.waiting) == (1, 0)
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 0, ALL)


async def test_a_job_that_takes_its_workers_down_is_kept_as_failed(urls: Urls) -> None:
    attempts = 0

    async def poison(ctx: Ctx, fact: Happened) -> None:
        nonlocal attempts
        attempts += 1

    on(Happened, poison)
    await queued(urls, Happened(thing_id=uuid4()))
    died = (
        "with died as (update pgqueuer.pgqueuer set status = 'picked', queue_manager_id = gen_random_uuid(), "
        "heartbeat = now() - interval '1 minute' returning attempts) select attempts from died"
    )
    seen = [await count(urls.worker, died) for _ in range(jobs.ATTEMPTS)]
    assert seen == list(range(jobs.ATTEMPTS)), "each worker that takes it over counts"
    async with services_on(urls.worker) as services:
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 1, HELD)
        async with operator(services) as ctx:
            [kept] = await operating.find_jobs(ctx.db, Chosen(state="failed"), first=None)
    assert attempts == 0
    assert (kept.attempts, kept.queue.rpartition(".")[2]) == (jobs.ATTEMPTS, "poison")
    assert (kept.error or "").startswith("WorkersDied: ")


async def test_dead_letters_are_queued_again_by_what_they_are(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ATTEMPTS", 1)
    broken = True

    async def stumble(ctx: Ctx, fact: Happened) -> None:
        if broken:
            raise ValueError("the reason it failed")
        await answer(ctx, fact)

    on(Happened, stumble)
    for tenant in (1, 2, 3):
        await queued(urls, Happened(thing_id=uuid4()), Happened(thing_id=uuid4()), tenant_id=UUID(int=tenant))
    async with services_on(urls.worker) as services:
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 6, HELD)
        broken = False
        async with operator(services) as ctx:
            held = await operating.find_jobs(ctx.db, Chosen(state="failed"), first=None)
            assert {job.error for job in held} == {"ValueError: the reason it failed"}
            assert await operating.retry(ctx, Chosen(queue="another")) == []
            assert await operating.retry(ctx, Chosen(fact="test.other")) == []
            first = await operating.retry(ctx, Chosen(ids=[held[0].id]))
            of_tenant = await operating.retry(ctx, Chosen(tenant_id=UUID(int=2), fact="test.happened"))
            assert (first, of_tenant) == ([held[0].id], [held[2].id, held[3].id])
            assert await operating.discard(ctx, Chosen(ids=[held[4].id])) == [held[4].id]
            assert await operating.retry(ctx, Chosen(ids=first)) == [], "it waits already"
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 3, FOLLOWED)
        async with operator(services) as ctx:
            await operating.retry(ctx, Chosen())
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 5, FOLLOWED)
            await eventually(urls.worker, 0, ALL)
        async with operator(services) as ctx:
            lines = [(line.status, line.traceback is not None) for line in await operating.lines_of(ctx.db, first[0])]
            [stats] = await queue_stats(ctx.db.connection, [])
    expected = ["queued", "picked", "failed", "queued", "picked", "successful"]
    assert lines == [(status, status == "failed") for status in expected]
    assert (stats.completed, stats.failed, stats.waiting) == (5, 0, 0)
    noted = "select count(*) from audit_rows where verb in ('jobs retry', 'jobs discard')"
    assert await in_platform(urls, noted) == 4


async def in_platform(urls: Urls, query: str) -> int:
    """The number that a query answers with in the platform's tenant."""
    async with services_on(urls.worker) as services, services.database.transaction(PLATFORM_TENANT) as tx:
        number: int = await tx.connection.fetchval(query)
        return number


async def test_a_cancelled_job_is_not_started(urls: Urls) -> None:
    on(Happened, answer)
    await queued(urls, Happened(thing_id=uuid4()), Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services:
        async with operator(services) as ctx:
            waiting = await operating.find_jobs(ctx.db, Chosen(state="waiting"), first=1)
            assert await operating.cancel(ctx, Chosen(ids=[waiting[0].id])) == [waiting[0].id]
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 0, ALL)
    assert await count(urls.worker, FOLLOWED) == 1


async def test_of_ended_jobs_the_last_are_kept_for_a_while(urls: Urls) -> None:
    now = datetime(2026, 1, 10, tzinfo=UTC)
    fill = """
    with failed as (
      insert into pgqueuer.pgqueuer (priority, status, entrypoint, updated)
      select 0, 'failed', queue, $1::timestamptz - n * step from generate_series(1, 600) as n,
             (values ('many', interval '1 s'), ('old', interval '1 day')) as of(queue, step)
      returning id, entrypoint
    ), lines as (
      insert into pgqueuer.pgqueuer_log (created, job_id, status, priority, entrypoint)
      select $1::timestamptz, id, 'failed', 0, entrypoint from failed
      union all
      select $1::timestamptz - n * step, (case queue when 'many' then 10000 else 20000 end) + n,
             status::pgqueuer.pgqueuer_status, 0, queue
        from generate_series(1, 120) as n, (values ('many', interval '1 s'), ('old', interval '1 hour')) as of(queue, step),
             (values ('picked'), ('successful')) as at(status)
      returning 1
    ) select count(*) from lines
    """
    assert await count(urls.worker, fill, now) == 1200 + 480
    async with services_on(urls.worker) as services:
        for _ in range(2):
            async with operator(services, now=now) as ctx:
                await retention.forget_finished(ctx)
    for table, status, queue, kept in (
        ("pgqueuer", "failed", "many", retention.FAILED),
        ("pgqueuer", "failed", "old", 7),
        ("pgqueuer_log", "failed", "many", retention.FAILED),
        ("pgqueuer_log", "successful", "many", retention.COMPLETED),
        ("pgqueuer_log", "picked", "many", retention.COMPLETED),
        ("pgqueuer_log", "successful", "old", 24),
    ):
        question = f"select count(*) from pgqueuer.{table} where status = '{status}' and entrypoint = '{queue}'"  # noqa: S608
        assert await count(urls.worker, question) == kept, (table, status, queue)

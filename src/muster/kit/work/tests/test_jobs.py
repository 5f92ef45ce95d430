"""Jobs: handlers run in their fact's tenant, failures come back, nothing is lost when a worker dies or stops."""

import asyncio
import signal
import sys
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import asyncpg
import pytest

from muster.kit.commands.context import Ctx
from muster.kit.db.migrate import Urls
from muster.kit.work import jobs
from muster.kit.work.handlers import HANDLERS, on
from muster.kit.work.jobs import backoff, run_jobs
from muster.kit.work.tests.support import Happened, answer, count, eventually, queued, running, services_on

# The real waits add up to two minutes; `test_waits_double...` looks at them.
SOON = timedelta(milliseconds=20).__mul__

FOLLOWED = "select count(*) from facts where kind = 'test.followed'"
QUEUED = "select count(*) from pgqueuer.pgqueuer where status = 'queued'"
HELD = "select count(*) from pgqueuer.pgqueuer where status = 'failed'"
ALL = "select count(*) from pgqueuer.pgqueuer"


async def test_a_handler_runs_under_the_tenant_of_its_fact_and_leaves_a_fact_and_an_audit_row(urls: Urls) -> None:
    tenant = UUID(int=5)
    on(Happened, answer)
    await queued(urls, Happened(thing_id=uuid4(), number=3), tenant_id=tenant)
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 0, ALL)
        async with services.database.transaction(tenant) as tx:
            followed = await tx.connection.fetchrow(
                "select tenant_id, data->>'number' as number, request_id from facts where kind = 'test.followed'"
            )
            audit = await tx.connection.fetchrow("select * from audit_rows where verb like '%answer'")
            origin = await tx.connection.fetchval("select request_id from facts where kind = 'test.happened'")
    assert followed is not None
    assert (followed["tenant_id"], followed["number"], followed["request_id"]) == (tenant, "3", origin)
    assert audit is not None
    assert (audit["actor_kind"], audit["reason"], audit["outcome"]) == ("system", "follows test.happened", "done")


async def test_a_handler_is_told_which_fact_it_follows(urls: Urls) -> None:
    causes: list[UUID | None] = []

    async def look(ctx: Ctx, fact: Happened) -> None:
        causes.append(ctx.cause)

    on(Happened, look)
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 0, ALL)
    assert len(causes) == 1
    assert await count(urls.worker, "select count(*) from facts where id = $1", causes[0]) == 1


async def test_a_handler_that_fails_leaves_nothing_and_is_tried_again(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "backoff", SOON)
    attempts = 0

    async def stumble(ctx: Ctx, fact: Happened) -> None:
        nonlocal attempts
        attempts += 1
        await answer(ctx, fact)
        if attempts < 3:
            raise ValueError("not yet")

    on(Happened, stumble)
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 0, ALL)
    assert attempts == 3
    assert await count(urls.worker, FOLLOWED) == 1


async def test_what_goes_on_failing_is_kept_with_its_error(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "backoff", SOON)
    attempts = 0

    async def never(ctx: Ctx, fact: Happened) -> None:
        nonlocal attempts
        attempts += 1
        raise ValueError("the reason it failed")

    on(Happened, never)
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 1, HELD, seconds=20)
    assert attempts == jobs.ATTEMPTS
    kept = "select count(*) from pgqueuer.pgqueuer_log where status = 'failed' and traceback::text like $1"
    assert await count(urls.worker, kept, "%the reason it failed%") == 1


def test_waits_double_from_a_second_and_are_scattered() -> None:
    assert all(0.75 <= backoff(1).total_seconds() <= 1.25 for _ in range(100))
    assert all(48 <= backoff(jobs.ATTEMPTS - 1).total_seconds() <= 80 for _ in range(100))
    assert len({backoff(3) for _ in range(100)}) > 1


async def test_a_job_waits_for_a_worker_that_has_its_handler(urls: Urls) -> None:
    on(Happened, answer)
    await queued(urls, Happened(thing_id=uuid4()))
    elsewhere = dict(HANDLERS)
    HANDLERS.clear()
    ran = asyncio.Event()

    async def other(ctx: Ctx, fact: Happened) -> None:
        ran.set()

    on(Happened, other)
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services:
        async with running(partial(run_jobs, services, urls.worker)):
            await asyncio.wait_for(ran.wait(), 5)
            await eventually(urls.worker, 1, ALL)
        HANDLERS.update(elsewhere)
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 0, ALL)


async def test_a_job_of_a_fact_that_is_gone_ends(urls: Urls) -> None:
    on(Happened, answer)
    await queued(urls, Happened(thing_id=uuid4()))
    owner = await asyncpg.connect(urls.owner, server_settings={"muster.maintenance": "on"})
    assert await owner.execute("delete from facts") == "DELETE 1"
    await owner.close()
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 0, ALL)


async def test_a_stop_lets_running_jobs_finish(urls: Urls) -> None:
    entered = asyncio.Event()

    async def slow(ctx: Ctx, fact: Happened) -> None:
        entered.set()
        await ctx.db.connection.execute("select pg_sleep(0.5)")
        await answer(ctx, fact)

    on(Happened, slow)
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await asyncio.wait_for(entered.wait(), 5)
    assert await count(urls.worker, ALL) == 0
    assert await count(urls.worker, FOLLOWED) == 1


async def test_a_stop_queues_again_what_does_not_finish(urls: Urls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "DRAIN_SECONDS", 0.2)
    entered = asyncio.Event()

    async def stuck(ctx: Ctx, fact: Happened) -> None:
        entered.set()
        await ctx.db.connection.execute("select pg_sleep(60)")

    on(Happened, stuck)
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await asyncio.wait_for(entered.wait(), 5)
    assert await count(urls.worker, QUEUED) == 1


async def test_a_job_of_a_killed_worker_runs_again_within_thirty_seconds(urls: Urls) -> None:
    on(Happened, answer)
    await queued(urls, Happened(thing_id=uuid4()))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "muster.kit.work.tests.stuck_worker", urls.worker, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 20) == b"running\n"
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    assert await count(urls.worker, FOLLOWED) == 0
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 1, FOLLOWED, seconds=30)

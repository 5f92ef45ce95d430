"""Durable steps: done once whatever dies, asleep and waiting without a worker; progress, and being cancelled."""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID, uuid4

from muster.kit.commands.context import Ctx
from muster.kit.db.migrate import Urls
from muster.kit.work import operating, retention
from muster.kit.work.errands import Errand, outside
from muster.kit.work.handlers import HANDLERS, on
from muster.kit.work.jobs import run_jobs
from muster.kit.work.operating import Chosen
from muster.kit.work.sequencer import Sequencer
from muster.kit.work.steps import Steps
from muster.kit.work.tests.dying_worker import BOUNDARIES, FOLLOWER
from muster.kit.work.tests.support import Followed, Happened, count, eventually, queued, record, running, services_on
from muster.kit.work.tests.test_operating import operator

ALL = "select count(*) from pgqueuer.pgqueuer"
FOLLOWED = "select count(*) from facts where kind = 'test.followed'"
ASLEEP = f"{ALL} where status = 'queued' and execute_after > now()"
STALE = (
    "with s as (update pgqueuer.pgqueuer set heartbeat = now() - interval '1 hour' returning 1) select count(*) from s"
)
STEPS = "select count(*) from job_steps"


async def test_steps_are_done_once_wherever_workers_are_killed(urls: Urls) -> None:
    HANDLERS[Happened] = (FOLLOWER,)
    await queued(urls, Happened(thing_id=uuid4()))
    for boundary in BOUNDARIES:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "muster.kit.work.tests.dying_worker", urls.worker, boundary
        )
        assert await asyncio.wait_for(process.wait(), 30) == -signal.SIGKILL, boundary
        assert await count(urls.worker, STALE) == 1
    async with services_on(urls.worker) as services:
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 0, ALL)
        assert await count(urls.worker, FOLLOWED) == 2
        assert await count(urls.worker, STEPS) == 4
        async with operator(services, now=datetime.now(UTC)) as ctx:
            await retention.forget_finished(ctx)
        assert await count(urls.worker, STEPS) == 0


async def test_two_runs_of_a_job_at_once_do_a_step_once(urls: Urls) -> None:
    runs, results = 0, list[int]()

    async def effect(ctx: Ctx) -> int:
        nonlocal runs
        runs += 1
        await ctx.db.connection.execute("select pg_sleep(0.2)")
        return runs

    async def look(errand: Errand, fact: Happened) -> None:
        twins = [Steps(errand).once("effect", effect, returns=int) for _ in range(3)]
        results.extend(await asyncio.gather(*twins))

    on(Happened, outside(look, at_once=1))
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, 0, ALL)
    assert (runs, results) == (1, [1, 1, 1])


async def test_a_wait_ends_with_its_fact_or_with_its_time(urls: Urls) -> None:
    thing, other = uuid4(), uuid4()
    answers: dict[str, Followed | None] = {}

    async def wait(errand: Errand, fact: Happened) -> None:
        hour = timedelta(hours=1)
        steps = Steps(errand)
        answers["late"] = await steps.wait_for("late", Followed, about=other, within=timedelta(seconds=0.3))
        answers["fact"] = await steps.wait_for(
            "fact", Followed, about=thing, within=hour, match=lambda followed: followed.number > 1
        )

    on(Happened, outside(wait, at_once=1))
    await queued(urls, Followed(thing_id=thing, number=5))
    await queued(urls, Happened(thing_id=thing))
    sequencer = Sequencer(urls.worker)
    async with services_on(urls.worker, sequencer.wake) as services, running(sequencer.run):
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 1, f"{ASLEEP} and execute_after > now() + interval '5 seconds'")
        assert answers == {"late": None}, "what came before the job is not waited for"
        await record(services, Followed(thing_id=thing, number=1), Followed(thing_id=other, number=2))
        await record(services, Followed(thing_id=thing, number=3), tenant_id=UUID(int=2))
        async with running(partial(run_jobs, services, urls.worker)):
            await eventually(urls.worker, 1, f"{ASLEEP} and execute_after > now() + interval '5 seconds'")
            await record(services, Followed(thing_id=thing, number=4))
            await eventually(urls.worker, 0, ALL)
    assert answers["fact"] == Followed(thing_id=thing, number=4)
    assert await count(urls.worker, "select count(*) from pgqueuer.pgqueuer_log where status = 'failed'") == 0


async def test_a_long_handler_tells_how_far_it_is_and_ends_when_it_is_cancelled(urls: Urls) -> None:
    seen: list[bool] = []
    half, cancelled = asyncio.Event(), asyncio.Event()

    async def long(errand: Errand, fact: Happened) -> None:
        await errand.progress(0.5, "half of the members")
        seen.append(await errand.cancelled())
        half.set()
        await cancelled.wait()
        seen.append(await errand.cancelled())
        raise ValueError("whatever becomes of it, it is not run again")

    on(Happened, outside(long, at_once=1))
    await queued(urls, Happened(thing_id=uuid4()))
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await asyncio.wait_for(half.wait(), 5)
        async with operator(services) as ctx:
            [job] = await operating.find_jobs(ctx.db, Chosen(state="active"), first=None)
            assert await operating.cancel(ctx, Chosen(ids=[job.id])) == [job.id]
        cancelled.set()
        await eventually(urls.worker, 0, ALL)
    assert (job.done, job.note, seen) == (0.5, "half of the members", [False, True])
    assert await count(urls.worker, ALL) == 0

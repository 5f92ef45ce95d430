"""Whose turn it is: tenants in turn, priorities, few of one tenant at once, and one job for many facts."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from uuid import UUID, uuid4

import pytest

from muster.kit.commands.context import Ctx
from muster.kit.db.migrate import Urls
from muster.kit.work import jobs
from muster.kit.work.handlers import inside, on
from muster.kit.work.jobs import run_jobs
from muster.kit.work.terms import Priority
from muster.kit.work.tests.support import Followed, Happened, count, eventually, queued, running, services_on

CROWDED, OTHER = UUID(int=1), UUID(int=2)
LEFT = "select count(*) from pgqueuer.pgqueuer"
OLDER = "with older as (update pgqueuer.pgqueuer set priority = priority + $1 returning 1) select count(*) from older"


def happened(times: int) -> list[Happened]:
    return [Happened(thing_id=uuid4(), number=number) for number in range(times)]


async def work(urls: Urls, until: int = 0) -> None:
    """Run one worker until so many jobs are left."""
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await eventually(urls.worker, until, LEFT, seconds=20)


@pytest.fixture
def in_single_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes one job after the other and has two at most: they start in the order of the queue, or almost."""
    monkeypatch.setattr(jobs, "_BATCH", 1)
    monkeypatch.setattr(jobs, "_AT_ONCE", 2)


@pytest.mark.usefixtures("in_single_file")
async def test_a_tenant_with_many_jobs_stands_in_nobodys_way(urls: Urls) -> None:
    started: list[UUID] = []

    async def note(ctx: Ctx, fact: Happened) -> None:
        started.append(ctx.tenant_id)

    on(Happened, note)
    await queued(urls, *happened(120), tenant_id=CROWDED)
    await queued(urls, *happened(3), tenant_id=OTHER)
    await work(urls)
    assert [n for n, tenant in enumerate(started) if tenant == OTHER][-1] <= 2 * 3 + 2, "they take turns"
    assert Counter(started) == {CROWDED: 120, OTHER: 3}


@pytest.mark.usefixtures("in_single_file")
async def test_nobody_waits_for_ever(urls: Urls) -> None:
    started: list[tuple[UUID, int]] = []

    async def note(ctx: Ctx, fact: Happened) -> None:
        started.append((ctx.tenant_id, fact.number))

    on(Happened, note)
    await queued(urls, *happened(30), tenant_id=CROWDED)
    assert await count(urls.worker, OLDER, 20 * 60) == 30, "twenty minutes pass"
    await queued(urls, *happened(5), tenant_id=OTHER)
    await work(urls)
    # A job that was taken in its turn may note so a little later than those after it, on a busy machine.
    before = started.index((OTHER, 0))
    assert 18 <= before <= 24
    own = [number for tenant, number in started if tenant == CROWDED]
    late = [number for place, number in enumerate(own) if abs(number - place) > 2]
    assert len(late) <= 2, f"its own stay in order: {own}"


@pytest.mark.usefixtures("in_single_file")
async def test_a_high_priority_goes_first_and_a_low_one_last(urls: Urls) -> None:
    started: list[str] = []

    async def low(ctx: Ctx, fact: Happened) -> None:
        started.append("low")

    async def plain(ctx: Ctx, fact: Happened) -> None:
        started.append("plain")

    async def high(ctx: Ctx, fact: Happened) -> None:
        started.append("high")

    on(Happened, inside(low, priority=Priority.LOW), plain, inside(high, priority=Priority.HIGH))
    await queued(urls, *happened(4))
    await work(urls)
    expected = ["high"] * 4 + ["plain"] * 4 + ["low"] * 4
    assert sum(one != other for one, other in zip(started, expected, strict=True)) <= 4, started


async def test_few_of_one_tenant_run_at_once_and_all_are_done(urls: Urls) -> None:
    now: Counter[UUID] = Counter()
    most: Counter[UUID] = Counter()
    together: set[UUID] = set()

    async def slow(ctx: Ctx, fact: Happened) -> None:
        now[ctx.tenant_id] += 1
        most[ctx.tenant_id] = max(most[ctx.tenant_id], now[ctx.tenant_id])
        together.update(tenant for tenant in now if len(+now) > 1)
        await ctx.db.connection.execute("select pg_sleep(0.05)")
        now[ctx.tenant_id] -= 1

    on(Happened, inside(slow, tenant_at_once=2))
    for tenant in (CROWDED, OTHER):
        await queued(urls, *happened(8), tenant_id=tenant)
    async with services_on(urls.worker) as services, AsyncExitStack() as workers:
        for _ in range(2):
            await workers.enter_async_context(running(partial(run_jobs, services, urls.worker)))
        await eventually(urls.worker, 0, LEFT, seconds=20)
    assert most == {CROWDED: 2, OTHER: 2}
    assert together == {CROWDED, OTHER}, "one tenant's limit keeps no other waiting"


async def test_jobs_taken_by_two_workers_at_once_stay_within_a_tenants_limit(urls: Urls) -> None:
    running_now, most, release = 0, 0, asyncio.Event()

    async def held(ctx: Ctx, fact: Happened) -> None:
        nonlocal running_now, most
        running_now += 1
        most = max(most, running_now)
        await release.wait()
        running_now -= 1

    on(Happened, inside(held, tenant_at_once=1))
    await queued(urls, *happened(6))
    ready = "with r as (update pgqueuer.pgqueuer set execute_after = now() returning 1) select count(*) from r"
    assert await count(urls.worker, ready) == 6, "as when their minutes are over"
    async with services_on(urls.worker) as services, AsyncExitStack() as workers:
        for _ in range(3):
            await workers.enter_async_context(running(partial(run_jobs, services, urls.worker)))
        await eventually(urls.worker, 5, f"{LEFT} where status = 'queued' and headers ? 'parked'")
        release.set()
        await eventually(urls.worker, 0, LEFT, seconds=20)
    assert most == 1


async def test_facts_about_one_thing_share_a_job_until_it_starts(urls: Urls) -> None:
    runs: list[tuple[UUID, int]] = []
    entered, release = asyncio.Event(), asyncio.Event()

    async def gather(ctx: Ctx, fact: Followed) -> None:
        runs.append((fact.thing_id, fact.number))
        entered.set()
        await release.wait()

    on(Followed, inside(gather, gathers=True))
    one, other = uuid4(), uuid4()
    await queued(urls, *(Followed(thing_id=one, number=number) for number in range(3)))
    await queued(urls, Followed(thing_id=one, number=3), Followed(thing_id=other))
    await queued(urls, Followed(thing_id=one, number=4), tenant_id=OTHER)
    assert await count(urls.worker, LEFT) == 3, "one for each thing in each tenant"
    async with services_on(urls.worker) as services, running(partial(run_jobs, services, urls.worker)):
        await asyncio.wait_for(entered.wait(), 5)
        await eventually(urls.worker, 0, f"{LEFT} where status = 'queued'")
        await queued(urls, Followed(thing_id=one, number=5), Followed(thing_id=one, number=6))
        release.set()
        await eventually(urls.worker, 0, LEFT)
    assert sorted(runs) == sorted([(one, 0), (other, 0), (one, 4), (one, 5)])

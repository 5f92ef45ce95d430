"""Trials of jobs: a database of their own, a worker of their own, and facts that are followed by next to nothing.

A module by itself, since a handler is known by the module that it stands in, in every process alike.
"""

import asyncio
import logging
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import ClassVar
from uuid import UUID

import asyncpg
import psutil
import structlog
from sqlalchemy import Text, literal

from bench.chapters import Figures
from bench.meters import cpu_of, cpu_of_postgres
from muster.kit.caller import Gate
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.facts import Fact
from muster.kit.commands.system import system_transaction
from muster.kit.db.channels import OUTBOX
from muster.kit.db.database import Database
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import migrate, provision
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.processes import die_with_parent, settle
from muster.kit.work.handlers import on
from muster.kit.work.jobs import run_jobs
from muster.kit.work.sequencer import Sequencer
from muster.settings import Settings

_BATCH = 1_000
# As the worker has them.
_CONNECTIONS = 8
_PATIENCE_SECONDS = 120.0
_SETTLING = 10
"""The first jobs that are picked up wait for the worker's own start."""
_NEWCOMERS, _NEWCOMERS_EVERY_SECONDS = 300, 0.03
"""How often somebody else asks for a job, and how many times, beside a community that has many."""
_CROWDED, _OTHER = UUID(int=1), UUID(int=2)
_LIVES_SECONDS = 1.0
"""How long a worker lives in the trial with killings, after the first job it has done: by then it is amid others."""
_OPEN = "select count(*) from pgqueuer.pgqueuer where status in ('queued', 'picked')"
_HELD_BY_NEWCOMERS = f"""
select count(*) from pgqueuer.pgqueuer where status in ('queued', 'picked') and left(dedupe_key, 36) = '{_OTHER}'
"""  # noqa: S608 - a constant of ours
_UNSEQUENCED = "select count(*) from outbox"
_DONE = "select count(*) from facts where kind = 'bench.done'"
_SOONEST = """
select extract(epoch from min(again.gap))
  from (select max(at) - min(at) as gap from facts where kind = 'bench.done' group by aggregate_id having count(*) > 1) again
"""
_SPAN = """
select extract(epoch from max(created) filter (where status = 'successful') - min(created) filter (where status = 'picked'))
  from pgqueuer.pgqueuer_log
"""


class Asked(Fact):
    """What a job follows. at: seconds since 1970, when it was recorded."""

    kind: ClassVar[str] = "bench.asked"
    about: ClassVar[str] = "thing_id"
    thing_id: UUID
    effect: bool = False
    at: float = 0.0


class Done(Fact):
    """What a job with an effect leaves. waited: seconds from the fact to the handler."""

    kind: ClassVar[str] = "bench.done"
    about: ClassVar[str] = "thing_id"
    thing_id: UUID
    waited: float = 0.0


async def trivial(ctx: Ctx, fact: Asked) -> None:
    """Do nothing, or leave one row where the fact asks for it."""
    if fact.effect:
        ctx.record(Done(thing_id=fact.thing_id, waited=time.time() - fact.at))


on(Asked, trivial)


@dataclass(frozen=True)
class Trial:
    """One database, and the worker's address on it."""

    url: str
    look: asyncpg.Connection
    postmaster: psutil.Process

    async def number(self, question: str) -> float:
        """What a question about the database is answered with."""
        return float(await self.look.fetchval(question) or 0)

    async def until(self, expected: float, question: str) -> None:
        """Wait until a question is answered with a number. Raises TimeoutError when that takes too long."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await self.number(question) != expected:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.005 if expected else 0.1)

    async def below(self, number: float, question: str) -> None:
        """Wait until a question is answered with less than a number. Raises TimeoutError when that takes too long."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while await self.number(question) >= number:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.05)


@asynccontextmanager
async def trial() -> AsyncIterator[Trial]:
    """A database for one trial."""
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        urls = provision(server)
        migrate(urls)
        look = await asyncpg.connect(urls.worker)
        try:
            yield Trial(urls.worker, look, psutil.Process(server.pid))
        finally:
            await look.close()


async def work(url: str) -> None:
    """Be the worker of a trial: its sequencer and its jobs, until killed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sequencer, stop = Sequencer(url), asyncio.Event()
    async with _services(url) as services:
        settle()
        await asyncio.gather(sequencer.run(stop), run_jobs(services, url, stop))


async def rate(trial: Trial, count: int) -> Figures:
    """Jobs that wait when the worker starts."""
    await _queue(trial, count, effect=False)
    postgres = cpu_of_postgres(trial.postmaster)
    with _worker(trial.url) as process:
        await trial.until(0, _OPEN)
        worker = cpu_of([psutil.Process(process.pid)])
    span, postgres = await trial.number(_SPAN), cpu_of_postgres(trial.postmaster) - postgres
    return {"rate": count / span, "worker": worker * 1000 / count, "store": postgres * 1000 / count}


async def pick_up(trial: Trial, count: int) -> Figures:
    """One job at a time for an idle worker: ms from just before the commit of its fact to its handler."""
    async with _services(trial.url) as services:
        with _worker(trial.url):
            for done in range(count):
                await _record(services, [Asked(thing_id=new_id(), effect=True, at=time.time())])
                await trial.look.execute("select pg_notify($1, '')", OUTBOX)
                await trial.until(done + 1, _DONE)
    return of_waits(await _waited(trial))


def of_waits(waits: list[float]) -> Figures:
    """How long jobs waited, in ms."""
    settled = waits[_SETTLING:]
    return {"p50": median(settled), "p99": quantiles(settled, n=100)[-1]}


async def fair(trial: Trial, count: int) -> None:
    """Compare how long jobs of one community wait when nobody else has any, and beside one that has so many."""
    alone = await _newcomers(trial)
    print(f"nobody else has jobs: p50 {alone['p50']:.1f} ms, p99 {alone['p99']:.1f} ms")
    await _queue(trial, count, effect=False, tenant_id=_CROWDED)
    beside = await _newcomers(trial)
    left = await trial.number(_OPEN)
    print(f"beside {count} jobs, of which {left:.0f} are left: p50 {beside['p50']:.1f} ms, p99 {beside['p99']:.1f} ms")


async def _newcomers(trial: Trial) -> Figures:
    """Ask for one job after the other at a steady pace, whatever becomes of those before."""
    await trial.look.execute("select set_config('muster.tenant', $1, false)", str(_OTHER))
    before = await trial.number(_DONE)
    async with _services(trial.url) as services:
        with _worker(trial.url):
            await _record(services, [Asked(thing_id=new_id(), effect=True, at=time.time())], _OTHER)
            await trial.until(before + 1, _DONE)
            for _ in range(_NEWCOMERS):
                await _record(services, [Asked(thing_id=new_id(), effect=True, at=time.time())], _OTHER)
                await trial.look.execute("select pg_notify($1, '')", OUTBOX)
                await asyncio.sleep(_NEWCOMERS_EVERY_SECONDS)
            await trial.until(before + 1 + _NEWCOMERS, _DONE)
            # A worker killed before it has said what it did would have its last jobs done once more beside the crowd.
            await trial.until(0, _HELD_BY_NEWCOMERS)
    return of_waits(await _waited(trial, skipped=int(before) + 1))


async def _waited(trial: Trial, *, skipped: int = 0) -> list[float]:
    """How long jobs with an effect waited, in milliseconds, in the order in which they were done."""
    waits = await trial.look.fetch(
        "select (data->>'waited')::float * 1000 from facts where kind = 'bench.done' order by at, id offset $1", skipped
    )
    return [float(wait) for (wait,) in waits]


async def lose(trial: Trial, count: int) -> None:
    """Kill the worker again and again until every job is done, then count what they left."""
    await _queue(trial, count, effect=True)
    kills = 0
    while left := await trial.number(_OPEN):
        with _worker(trial.url):
            await trial.below(left, _OPEN)
            with suppress(TimeoutError):
                await asyncio.wait_for(trial.until(0, _OPEN), _LIVES_SECONDS)
        kills += 1
    done = await trial.number(_DONE)
    distinct = await trial.number("select count(distinct aggregate_id) from facts where kind = 'bench.done'")
    failed = await trial.number("select count(*) from pgqueuer.pgqueuer where status = 'failed'")
    print(
        f"{count} jobs, {kills} workers killed: {distinct:.0f} done, {done - distinct:.0f} twice, {failed:.0f} failed"
    )
    if done > distinct:
        print(f"none was done again sooner than {await trial.number(_SOONEST):.1f} s later: its worker had died")


async def _queue(trial: Trial, count: int, *, effect: bool, tenant_id: UUID = PLATFORM_TENANT) -> None:
    """Put jobs into the queue the way they come: facts, sequenced."""
    sequencer, stop = Sequencer(trial.url), asyncio.Event()
    async with _services(trial.url) as services:
        for _ in range(0, count, _BATCH):
            await _record(services, [Asked(thing_id=new_id(), effect=effect) for _ in range(_BATCH)], tenant_id)
    sequencing = asyncio.create_task(sequencer.run(stop))
    while left := await trial.number(_UNSEQUENCED):
        await trial.below(left, _UNSEQUENCED)
    stop.set()
    sequencer.wake()
    await sequencing


async def _record(services: Services, facts: list[Asked], tenant_id: UUID = PLATFORM_TENANT) -> None:
    async with system_transaction(
        services,
        tenant_id=tenant_id,
        verb="bench",
        reason="a trial",
        now=datetime.now(UTC),
        request_id="bench",
    ) as ctx:
        for fact in facts:
            ctx.record(fact)


@asynccontextmanager
async def _services(url: str) -> AsyncIterator[Services]:
    database = await Database.open(url, size=_CONNECTIONS)
    gate = Gate(lookup=lambda _claim: literal("{}", Text()), permissions=lambda _role: frozenset())
    try:
        yield Services(database, Settings.load({"MUSTER_ENV": "test", "JWT_SECRET": "x" * 32}), gate, lambda: None)
    finally:
        await database.close()


@contextmanager
def _worker(url: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.jobs", "work", url],
        preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - started before any thread
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()

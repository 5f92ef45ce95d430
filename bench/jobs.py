"""Jobs: how many a second one worker does, how soon it picks one up, and whether any is lost when workers are killed.

python -m bench.jobs                  # 20,000 trivial jobs on one worker
python -m bench.jobs --lost 30000     # the worker is killed every two seconds; every job is accounted for
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
from typing import Annotated, ClassVar
from uuid import UUID

import asyncpg
import structlog
import uvloop
from cyclopts import App, Parameter
from sqlalchemy import Text, literal

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
from muster.kit.processes import die_with_parent
from muster.kit.work.handlers import on
from muster.kit.work.jobs import run_jobs
from muster.kit.work.sequencer import Sequencer
from muster.settings import Settings

_BATCH = 1_000
# As the worker has them.
_CONNECTIONS = 8
_PICKED_UP = 200
_KILLED_EVERY_SECONDS = 2.0
"""How long a worker lives in the trial with killings; one lives longer than a lease now and then by chance only."""
_OPEN = "select count(*) from pgqueuer.pgqueuer where status in ('queued', 'picked')"
_DONE = "select count(*) from facts where kind = 'bench.done'"
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
app = App(name="python -m bench.jobs", help=__doc__, version_flags=())


@dataclass(frozen=True)
class Trial:
    """One database, and the worker's address on it."""

    url: str
    look: asyncpg.Connection

    async def number(self, question: str) -> float:
        """What a question about the database is answered with."""
        return float(await self.look.fetchval(question) or 0)

    async def until(self, expected: float, question: str) -> None:
        """Wait until a question is answered with a number."""
        while True:
            if await self.number(question) == expected:
                return
            await asyncio.sleep(0.005 if expected else 0.1)


@app.default
async def jobs(*, count: int = 20_000, lost: Annotated[int, Parameter(help="Jobs for the killings.")] = 0) -> None:
    """Measure on a database of its own, and print the figures."""
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        urls = provision(server)
        migrate(urls)
        trial = Trial(urls.worker, await asyncpg.connect(urls.worker))
        try:
            if lost:
                await _lose(trial, lost)
            else:
                await _rate(trial, count)
                await _pick_up(trial)
        finally:
            await trial.look.close()


@app.command
async def work(url: str) -> None:
    """Be the worker of a trial: its sequencer and its jobs, until killed."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sequencer, stop = Sequencer(url), asyncio.Event()
    async with _services(url) as services:
        await asyncio.gather(sequencer.run(stop), run_jobs(services, url, stop))


async def _rate(trial: Trial, count: int) -> None:
    await _queue(trial, count, effect=False)
    with _worker(trial.url):
        await trial.until(0, _OPEN)
    span = await trial.number(_SPAN)
    print(f"{count} jobs in {span:.1f} s: {count / span:.0f} a second on one worker")


async def _pick_up(trial: Trial) -> None:
    """One job at a time on an idle worker, from just before the commit of its fact to its handler."""
    async with _services(trial.url) as services:
        with _worker(trial.url):
            for done in range(_PICKED_UP):
                await _record(services, [Asked(thing_id=new_id(), effect=True, at=time.time())])
                await trial.look.execute("select pg_notify($1, '')", OUTBOX)
                await trial.until(done + 1, _DONE)
    waits = await trial.look.fetch("select (data->>'waited')::float * 1000 from facts where kind = 'bench.done'")
    # The first ones waited for the worker's own start.
    settled = [float(wait) for (wait,) in waits[10:]]
    print(f"picked up after {median(settled):.1f} ms, 99 of 100 within {quantiles(settled, n=100)[-1]:.1f} ms")


async def _lose(trial: Trial, count: int) -> None:
    """Kill the worker again and again until every job is done, then count what they left."""
    await _queue(trial, count, effect=True)
    kills = 0
    while await trial.number(_OPEN):
        with _worker(trial.url), suppress(TimeoutError):
            await asyncio.wait_for(trial.until(0, _OPEN), _KILLED_EVERY_SECONDS)
        kills += 1
    done = await trial.number(_DONE)
    distinct = await trial.number("select count(distinct aggregate_id) from facts where kind = 'bench.done'")
    failed = await trial.number("select count(*) from pgqueuer.pgqueuer where status = 'failed'")
    print(
        f"{count} jobs, {kills} workers killed: {distinct:.0f} done, {done - distinct:.0f} twice, {failed:.0f} failed"
    )


async def _queue(trial: Trial, count: int, *, effect: bool) -> None:
    """Put jobs into the queue the way they come: facts, sequenced."""
    sequencer, stop = Sequencer(trial.url), asyncio.Event()
    async with _services(trial.url) as services:
        for _ in range(0, count, _BATCH):
            await _record(services, [Asked(thing_id=new_id(), effect=effect) for _ in range(_BATCH)])
    began = time.perf_counter()
    sequencing = asyncio.create_task(sequencer.run(stop))
    await trial.until(0, "select count(*) from outbox")
    print(f"{count} facts sequenced at {count / (time.perf_counter() - began):.0f} a second")
    stop.set()
    sequencer.wake()
    await sequencing


async def _record(services: Services, facts: list[Asked]) -> None:
    async with system_transaction(
        services,
        tenant_id=PLATFORM_TENANT,
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


if __name__ == "__main__":
    uvloop.run(app.run_async())

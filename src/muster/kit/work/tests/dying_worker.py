"""A worker that is killed at a boundary between steps, for the test that starts it again and again."""

import asyncio
import os
import signal
import sys
from datetime import timedelta

from muster.kit.commands.context import Ctx
from muster.kit.work.errands import Errand
from muster.kit.work.handlers import HANDLERS, Follower
from muster.kit.work.jobs import run_jobs
from muster.kit.work.steps import Steps
from muster.kit.work.tests.support import Followed, Happened, services_on

BOUNDARIES = ("before", "inside", "between", "outside", "after")


async def long_way(errand: Errand, fact: Happened) -> None:
    """Two steps that each leave a fact, and one outside. Dies at the boundary that the command line names."""
    dies_at = sys.argv[2] if __name__ == "__main__" else ""

    def perhaps_die(boundary: str) -> None:
        if boundary == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def leave(ctx: Ctx) -> int:
        ctx.record(Followed(thing_id=fact.thing_id, number=fact.number))
        perhaps_die("inside")
        return 7

    async def call(key: str) -> str:
        perhaps_die("outside")
        return key

    steps = Steps(errand)
    perhaps_die("before")
    number = await steps.once("first", leave, returns=int)
    perhaps_die("between")
    key = await steps.outside("call", call, returns=str)
    assert key == f"{errand.call.fact_id}:{errand.verb}:call"
    await steps.sleep("rest", timedelta(seconds=0.2))
    assert number == await steps.once("second", leave, returns=int)
    perhaps_die("after")


FOLLOWER = Follower("kit.work.tests.dying_worker.long_way", long_way, outside=True)


async def _main(url: str) -> None:
    HANDLERS[Happened] = (FOLLOWER,)
    async with services_on(url) as services:
        await run_jobs(services, url, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))

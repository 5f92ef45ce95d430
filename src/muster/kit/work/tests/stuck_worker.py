"""A worker process that takes a job and never ends it, for the test that kills it."""

import asyncio
import sys

from muster.kit.commands.context import Ctx
from muster.kit.work.handlers import HANDLERS, Follower
from muster.kit.work.jobs import run_jobs
from muster.kit.work.tests.support import Happened, services_on


async def _never_ends(ctx: Ctx, fact: Happened) -> None:
    print("running", flush=True)
    await ctx.db.connection.execute("select pg_sleep(60)")


async def _main(url: str) -> None:
    HANDLERS[Happened] = (Follower("kit.work.tests.support.answer", _never_ends),)
    async with services_on(url) as services:
        await run_jobs(services, url, asyncio.Event())


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))

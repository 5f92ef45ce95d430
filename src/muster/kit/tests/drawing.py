"""Processes that draw from the store at once, as fast as they can; tells how often each of them was let in.

python -m muster.kit.tests.drawing REDIS_URL PROCESSES TIMES
"""

import asyncio
import multiprocessing
import os
import sys
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from uuid import UUID

from muster.kit.caller import Claim, Origin
from muster.kit.errors import TooMany
from muster.kit.limiter import Limiter
from muster.kit.limits import API, GLOBAL, Rule, Rules
from muster.kit.store.address import StoreAddress
from muster.kit.store.store import opened_store

RULES: Rules = {GLOBAL: (Rule(150, 60),), API: (Rule(100, 60), Rule(90, 30))}


async def _draw(limiter: Limiter) -> bool:
    try:
        arrival = limiter.enter("192.0.2.1")
        await limiter.draw((API,), Origin(Claim(UUID(int=1)), datetime.now(UTC), "r", "192.0.2.1", arrival=arrival))
    except TooMany:
        return False
    return True


async def _draw_all(url: str, times: int, barrier: Barrier) -> None:
    async with opened_store(StoreAddress.of(url)) as store:
        limiter = Limiter(RULES, store=store)
        barrier.wait()
        let_in = sum(await asyncio.gather(*(_draw(limiter) for _ in range(times))))
    os.write(sys.stdout.fileno(), f"{let_in}\n".encode())  # whole, among what the others say


def _begin(url: str, times: int, barrier: Barrier) -> None:
    asyncio.run(_draw_all(url, times, barrier))


def main(url: str, processes: int, times: int) -> None:
    """Start all, and wait until they are done."""
    context = multiprocessing.get_context("fork")  # each would otherwise import everything once more
    barrier = context.Barrier(processes)
    running = [context.Process(target=_begin, args=(url, times, barrier)) for _ in range(processes)]
    for each in running:
        each.start()
    for each in running:
        each.join()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

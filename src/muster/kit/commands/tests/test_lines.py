"""Lines: a crowd on one thing waits in order and holds up nobody else."""

import asyncio

import pytest

from muster.kit.commands.lines import Lines


async def test_two_at_once_in_the_order_of_coming() -> None:
    lines, inside, most, order = Lines(), 0, 0, []

    async def one(number: int) -> None:
        nonlocal inside, most
        async with lines.stand_in("event"):
            inside += 1
            most = max(most, inside)
            order.append(number)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(one(number) for number in range(50)))
    assert most == 2
    assert order == list(range(50))


async def test_another_line_is_not_held_up() -> None:
    lines, forever = Lines(), asyncio.Event()

    async def crowd() -> None:
        async with lines.stand_in("hot"):
            await forever.wait()

    waiting = [asyncio.create_task(crowd()) for _ in range(10)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1), lines.stand_in("quiet"):
        assert not any(task.done() for task in waiting)
    forever.set()
    await asyncio.gather(*waiting)


async def test_who_gives_up_or_fails_leaves_the_line() -> None:
    lines, forever = Lines(), asyncio.Event()

    async def wait() -> None:
        async with lines.stand_in("event"):
            await forever.wait()

    waiting = [asyncio.create_task(wait()) for _ in range(5)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*waiting, return_exceptions=True)
    )
    with pytest.raises(LookupError):
        async with lines.stand_in("event"):
            raise LookupError
    assert not lines._lines, "an empty line is forgotten"
    assert not lines._standing

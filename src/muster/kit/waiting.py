"""Waiting for an event, but not for ever, and for the first of several to end."""

import asyncio
from collections.abc import Collection
from typing import Any


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until the event is set, at most `seconds`; answers whether it is."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def end_with_first(tasks: "Collection[asyncio.Future[Any]]") -> None:
    """Wait until one of some tasks has ended, and end the others. What became of each is for the caller to ask."""
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in tasks:
            each.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

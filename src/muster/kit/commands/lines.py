"""Lines: calls that want one row's lock wait here, in this process, and not with a connection each in PostgreSQL.

A crowd on one event would otherwise hold every connection of the pool, and everybody else would wait with them. Lines
decide nothing: the lock in the database does, also between processes.
"""

import asyncio
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager

# One that works and one that is ready to: the lock is never idle, and a connection more would only wait for it.
_AT_ONCE = 2


class Lines:
    """The lines of one process, by what is waited for."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, asyncio.Semaphore] = {}
        self._standing: dict[Hashable, int] = {}

    @asynccontextmanager
    async def stand_in(self, key: Hashable) -> AsyncIterator[None]:
        """Wait for one's turn, first in first out."""
        line = self._lines.setdefault(key, asyncio.Semaphore(_AT_ONCE))
        self._standing[key] = self._standing.get(key, 0) + 1
        try:
            async with line:
                yield
        finally:
            self._standing[key] -= 1
            if not self._standing[key]:
                del self._lines[key], self._standing[key]

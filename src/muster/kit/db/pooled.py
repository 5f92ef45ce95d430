"""A database behind a pooler that lends its connections for one transaction each, such as pgbouncer.

What a session remembers, limits and prepared statements, belongs to nobody there. So whoever uses a connection has a
transaction around it, which says its own limits and prepares its statements anew (docs/decisions/0017).
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from muster.kit.db.database import SESSION, Database, open_pool, whole
from muster.kit.db.time_limits import SERVING, TimeLimits


class PooledDatabase(Database):
    """A pool of connections to a pooler."""

    @classmethod
    async def open(cls, url: str, *, size: int, limits: TimeLimits = SERVING) -> "PooledDatabase":
        """Connect as the role in `url`, with at most `size` connections to the pooler."""
        said = (f"set local {name} = '{value}'" for name, value in (SESSION | limits.of_server()).items())
        return cls(await open_pool(url, size, statement_cache_size=0), limits, "; ".join(["begin", *said]))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection for one transaction, under no tenant."""
        async with super().connection() as connection, whole(connection, self._begin):
            yield connection

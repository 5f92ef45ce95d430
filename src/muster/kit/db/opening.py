"""Opening the database of a process: connected, and checked, before it serves anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from muster.kit.db.catalogue import refuse_open_doors
from muster.kit.db.database import Database
from muster.kit.db.pooled import PooledDatabase
from muster.kit.db.time_limits import PATIENT, TimeLimits
from muster.kit.processes import CannotRun


@asynccontextmanager
async def sound_database(
    url: str, *, size: int, process: str, setting: str, limits: TimeLimits = PATIENT, pooled: bool = False
) -> AsyncIterator[Database]:
    """The database at `url`, closed at the end.

    size: of the pool. limits: how long it may take. pooled: whether a pooler stands in between. process, setting: who asks, and where the address came from, for the message.
    Raises CannotRun when it cannot be reached, is not migrated, or would let tenants meet.
    """
    try:
        database = await (PooledDatabase if pooled else Database).open(url, size=size, limits=limits)
    except (OSError, asyncpg.PostgresError) as error:
        raise CannotRun(f"{process} cannot reach its database; is {setting} right? {error}") from error
    try:
        async with database.connection() as connection:
            await refuse_open_doors(connection)
        yield database
    finally:
        await database.close()

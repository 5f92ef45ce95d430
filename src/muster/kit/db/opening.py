"""Opening the database of a process: connected, and checked, before it serves anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import asyncpg

from muster.kit.db.catalogue import refuse_open_doors
from muster.kit.db.database import Database
from muster.kit.db.pooled import PooledDatabase
from muster.kit.db.replicas import Replica, Replicas
from muster.kit.db.terms import Terms
from muster.kit.db.time_limits import PATIENT, TimeLimits
from muster.kit.processes import CannotRun
from muster.kit.store.store import Store


async def open_checked(url: str, *, size: int, limits: TimeLimits, pooled: bool) -> Database:
    """Connect, and look whether the database keeps tenants apart.

    size: of the pool. limits: how long it may take. pooled: whether a pooler stands in between.
    Raises CannotRun when it is not migrated, or would let tenants meet.
    """
    database = await (PooledDatabase if pooled else Database).open(url, size=size, limits=limits)
    try:
        async with database.connection() as connection:
            await refuse_open_doors(connection)
    except BaseException:
        await database.close()
        raise
    return database


@asynccontextmanager
async def sound_database(
    url: str, *, size: int, process: str, setting: str, limits: TimeLimits = PATIENT, pooled: bool = False
) -> AsyncIterator[Database]:
    """The database at `url` as of `open_checked`, closed at the end.

    process, setting: who asks, and where the address came from, for the message.
    Raises CannotRun when it cannot be reached, too.
    """
    try:
        database = await open_checked(url, size=size, limits=limits, pooled=pooled)
    except (OSError, asyncpg.PostgresError) as error:
        raise CannotRun(f"{process} cannot reach its database; is {setting} right? {error}") from error
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def opened_replicas(primary: Database, terms: Terms, store: Store | None) -> AsyncIterator[Replicas | None]:
    """The replicas of a process, closed at the end; None where no setting names any. One that is away may come later.

    store: what other processes say of who wrote. Raises CannotRun when one would let tenants meet.
    """
    if not terms.replica_urls:
        yield None
        return
    # Whoever finds no connection to a replica is better off with the primary than in line.
    limits = replace(terms.limits, connection=1)
    openings = [
        partial(open_checked, url, size=terms.pool_size, limits=limits, pooled=terms.pooled)
        for url in terms.replica_urls
    ]
    listed = [Replica(number, opening) for number, opening in enumerate(openings, 1)]
    replicas = Replicas(primary, listed, terms.replica_lag, store)
    async with replicas.running():
        yield replicas

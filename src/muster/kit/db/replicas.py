"""Replicas: servers that follow the primary, for reads that may show what was true a moment ago.

Which moment that is, is known without asking anybody's clock. Every fifth of a second the primary is asked how far it has
written, and each replica how far it has followed. A replica that has come as far as the primary had at some moment shows
everything that was acknowledged before that moment: up to there it is fresh. So a person who wrote something reads from
it once it is fresh up to their last command, and nobody reads from one that is further behind than a setting allows.
"""

import asyncio
import math
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import asyncpg
import structlog

from muster.kit.db.database import Database
from muster.kit.db.failures import is_away
from muster.kit.metrics import REPLICA_LAG, REPLICA_READS
from muster.kit.processes import CannotRun
from muster.kit.store.connection import StoreDown, StoreRefused
from muster.kit.store.store import Store

log = structlog.get_logger()

_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 1.0
_OPENING_SECONDS = 5.0
_WRITTEN = """
select (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint as position, system_identifier as cluster
  from pg_control_system()
"""
_FOLLOWED = """
select (pg_last_wal_replay_lsn() - '0/0'::pg_lsn)::bigint as position, system_identifier as cluster
  from pg_control_system() where pg_is_in_recovery()
"""
_PAGE = 8192
_HEADERS = (24, 40)


class Rows(Protocol):
    """What reads are put to: the database, or a replica of it."""

    async def row(self, text: str, arguments: Sequence[object]) -> "asyncpg.Record | None":
        """As `Database.row`."""


@dataclass(frozen=True)
class _Sample:
    """How far the primary had written at a moment, and which server that was."""

    moment: float
    position: int
    cluster: int


@dataclass
class Replica:
    """One replica. number: from 1. open: connects to it; raises CannotRun where it would let tenants meet.

    fresh: the moment up to which it shows everything. is_there: whether it answered when it was last asked; None before.
    """

    number: int
    open: Callable[[], Awaitable[Database]]
    fresh: float = -math.inf
    is_there: bool | None = None
    database: Database | None = None

    async def look(self, samples: Sequence[_Sample]) -> None:
        """Ask how far it has followed. samples: of the primary."""
        if self.database is None:
            async with asyncio.timeout(_OPENING_SECONDS):
                self.database = await self.open()
        async with asyncio.timeout(_PATIENCE_SECONDS), self.database.connection() as connection:
            row = await connection.fetchrow(_FOLLOWED)
        if row is None or any(each.cluster != row["cluster"] for each in samples):
            self.lose("it does not follow the primary")
            return
        if not self.is_there:
            log.info("replica.is_there", replica=self.number)
        self.is_there = True
        reached = [each.moment for each in samples if each.position <= row["position"]]
        self.fresh = max([self.fresh, *reached])

    def lose(self, reason: str) -> None:
        """Read from it no more until it answers again."""
        if self.is_there is not False:
            log.warning("replica.is_away", replica=self.number, reason=reason)
        # It may come back as an older one.
        self.is_there, self.fresh = False, -math.inf


class Replicas:
    """All replicas of one process."""

    def __init__(self, primary: Database, replicas: Sequence[Replica], lag: int, store: Store | None) -> None:
        """lag: seconds that a replica may be behind. store: what other processes say of who wrote."""
        self._primary = primary
        self._is_open = False
        self._replicas = deque(replicas)
        self._lag = lag
        self._store = store
        self._samples: deque[_Sample] = deque()
        # When each person's last command was done; what is older than any replica in use is forgotten.
        self._wrote: OrderedDict[UUID, float] = OrderedDict()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep looking at them meanwhile. Raises CannotRun at once when one would let tenants meet."""
        await self._look()
        self._is_open = True
        looking = asyncio.create_task(self._keep_looking())
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            for replica in self._replicas:
                if replica.database is not None:
                    await replica.database.close()

    async def wrote(self, *persons: UUID | None) -> None:
        """Remember who has just done something, so that they see it."""
        now = time.monotonic()
        for person in persons:
            if person is not None:
                self._wrote[person] = now
                self._wrote.move_to_end(person)
                await self._tell(person)

    async def reader(self, person: UUID | None) -> Rows:
        """What may answer somebody's read. person: None is a visitor, who has written nothing."""
        since = time.monotonic() - self._lag
        known = 0.0 if person is None else self._wrote.get(person, 0.0)
        for _ in self._replicas:
            self._replicas.rotate()
            replica = self._replicas[0]
            if replica.is_there and replica.fresh >= since and replica.fresh >= known:
                if await self._wrote_elsewhere(person):
                    break
                return _Attempt(replica, self._primary)
        REPLICA_READS.labels("primary").inc()
        return self._primary

    def lags(self) -> list[float | None]:
        """By how many seconds each is behind at most; None is one of which nothing is known."""
        now = time.monotonic()
        listed = sorted(self._replicas, key=lambda each: each.number)
        return [now - each.fresh if math.isfinite(each.fresh) else None for each in listed]

    @property
    def are_well(self) -> bool:
        """Whether all of them may be read from."""
        return all(lag is not None and lag <= self._lag for lag in self.lags())

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
            except Exception:
                log.exception("replicas.look_failed")

    async def _look(self) -> None:
        """Ask the primary, then each replica."""
        moment = time.monotonic()
        try:
            row = await self._primary.row(_WRITTEN, ())
        except Exception as error:
            if not is_away(error):
                raise
            row = None
        if row is not None:
            self._samples.append(_Sample(moment, _end(row["position"]), row["cluster"]))
        while self._samples and self._samples[0].moment < moment - self._lag:
            self._samples.popleft()
        while self._wrote and next(iter(self._wrote.values())) < moment - self._lag:
            self._wrote.popitem(last=False)
        await asyncio.gather(*(self._look_at(each) for each in list(self._replicas)))

    async def _look_at(self, replica: Replica) -> None:
        try:
            await replica.look(self._samples)
        except CannotRun as refusal:
            if not self._is_open:
                raise
            log.critical("replica.refused", replica=replica.number, reason=str(refusal))
            self._replicas.remove(replica)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            replica.lose(repr(error))
        REPLICA_LAG.labels(str(replica.number)).set(time.monotonic() - replica.fresh)

    async def _tell(self, person: UUID) -> None:
        """Let other processes know, for as long as a replica in use may not show it."""
        if self._store is None:
            return
        try:
            await self._store.ask("SET", _key(self._store, person), 1, "PX", (self._lag + 1) * 1000)
        except (StoreDown, StoreRefused) as error:
            log.warning("replicas.write_not_told", error=repr(error))

    async def _wrote_elsewhere(self, person: UUID | None) -> bool:
        """Whether they may have written by another process just now; where the store does not say, they may."""
        if person is None or self._store is None:
            return False
        try:
            return bool(await self._store.ask("EXISTS", _key(self._store, person)))
        except (StoreDown, StoreRefused):
            return True


@dataclass(frozen=True)
class _Attempt:
    """One read, put to a replica and, when that is gone or in the way of what it follows, to the primary."""

    replica: Replica
    primary: Database

    async def row(self, text: str, arguments: Sequence[object]) -> "asyncpg.Record | None":
        database = self.replica.database
        assert database is not None
        try:
            row = await database.row(text, arguments)
        except Exception as error:
            if not is_away(error):
                raise
            self.replica.lose(repr(error))
            REPLICA_READS.labels("failed").inc()
            return await self.primary.row(text, arguments)
        REPLICA_READS.labels("replica").inc()
        return row


def _end(position: int) -> int:
    """Where the last record ends: at the start of a page the next one stands behind a header, which nobody follows to."""
    return position - position % _PAGE if position % _PAGE in _HEADERS else position


def _key(store: Store, person: UUID) -> str:
    return f"{store.prefix}wrote:{person}"

"""Connections and transactions: a pool per role, and transactions that run under one tenant."""

import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, NoReturn, TypeAlias
from uuid import UUID

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from muster.kit.db.slow import report_if_slow
from muster.kit.db.statements import RowT, Statement
from muster.kit.db.tables import TENANT_SETTING
from muster.kit.db.time_limits import PATIENT, SERVING, TimeLimits
from muster.kit.db.trips import Trips
from muster.kit.metrics import POOL_CONNECTIONS, POOL_WAIT_SECONDS, POOL_WAITING
from muster.kit.processes import CannotRun
from muster.kit.tracing.switch import TRACING

SESSION = {
    "timezone": "UTC",
    "jit": "off",
    # Statements are written so that one plan fits all values. Planned for each value anew, a list costs twice as much.
    "plan_cache_mode": "force_generic_plan",
}
_Held: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"


async def _leave_as_it_is(_connection: asyncpg.Connection) -> None:
    """At release: nothing session-wide is ever set on our pools, so there is nothing to reset, no round trip to pay.

    A transaction that is still open, because a second cancellation cut its rollback short, asyncpg ends by itself.
    """


async def _trace(connection: asyncpg.Connection) -> None:
    """Have every statement of a new connection told in the trace of who runs it, where there are traces."""
    if TRACING.spans is not None:
        connection.add_query_logger(TRACING.spans.statement)


class ThroughPooler(CannotRun):
    """A way to the database that has to be direct leads through a pooler; the message says what to do."""

    def __init__(self) -> None:
        super().__init__(
            "A pooler stands between Muster and its database: set DATABASE_POOLER=transaction, and the ways past it, "
            "DATABASE_DIRECT_URL for the API and DATABASE_WORKER_DIRECT_URL for the worker."
        )


async def connect(url: str) -> asyncpg.Connection:
    """One connection outside the pool, for LISTEN and for what nobody waits for.

    Raises ThroughPooler when the server that answers is not the one that was called.
    """
    try:
        connection = await asyncpg.connect(url, server_settings=SESSION | PATIENT.of_server())
    except asyncpg.ProtocolViolationError as error:
        raise _explained(error) from error
    try:
        if connection.get_server_pid() != await connection.fetchval("select pg_backend_pid()"):
            raise ThroughPooler
        connection.add_query_logger(lambda ran: report_if_slow(ran.query, ran.elapsed))
        await _trace(connection)
    except BaseException:
        # Whoever is cancelled here has nothing yet that they could close.
        connection.terminate()
        raise
    return connection


def _explained(error: asyncpg.ProtocolViolationError) -> Exception:
    """Poolers take only few settings from clients, and say so."""
    return ThroughPooler() if "startup parameter" in str(error) else error


@asynccontextmanager
async def whole(connection: asyncpg.Connection, begin: str) -> AsyncIterator[None]:
    """A transaction meanwhile; commits at the end, rolls back on any error. begin: starts it."""
    try:
        await connection.execute(begin)
        yield
    except BaseException:
        # A connection that was lost has rolled back by itself, and must not hide what went wrong.
        with suppress(asyncpg.InterfaceError, asyncpg.PostgresConnectionError, OSError):
            await connection.execute("rollback")
        raise
    if await connection.execute("commit") != "COMMIT":
        raise RuntimeError("a failed statement was passed over, so PostgreSQL rolled back instead of committing")


async def open_pool(url: str, size: int, **terms: Any) -> "asyncpg.Pool[asyncpg.Record]":
    """Connect. terms: further ones of the driver."""
    return await asyncpg.create_pool(
        url,
        min_size=min(2, size),
        max_size=size,
        init=_trace,
        reset=_leave_as_it_is,
        max_cacheable_statement_size=0,
        max_inactive_connection_lifetime=0,
        **terms,
    )


def _lives(connection: _Held) -> bool:
    """Whether the server has not ended a connection. The pool takes such back, and then it answers no question."""
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False


_TURN = "select pg_advisory_xact_lock(hashtextextended($1, 0))"


class Transaction:
    """A transaction under one tenant: runs statements and answers with typed rows."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection

    async def enter(self, tenant_id: UUID) -> None:
        """Put the rest of this transaction under another tenant."""
        await self.connection.execute(f"select set_config('{TENANT_SETTING}', '{tenant_id}', true)")

    async def take_turn(self, what: str) -> None:
        """Hold the lock of this name until the transaction ends: whoever takes the same turn waits for it."""
        began = time.perf_counter()
        await self.connection.execute(_TURN, what)
        report_if_slow(_TURN, time.perf_counter() - began)

    async def one(self, statement: Statement[RowT], **values: object) -> RowT | None:
        """The first row, or None."""
        sql = statement.sql
        began = time.perf_counter()
        record = await self.connection.fetchrow(sql.text, *sql.arguments(values))
        report_if_slow(sql.text, time.perf_counter() - began)
        return None if record is None else statement.row(**dict(record))

    async def all(self, statement: Statement[RowT], **values: object) -> list[RowT]:
        """Every row."""
        sql = statement.sql
        began = time.perf_counter()
        records = await self.connection.fetch(sql.text, *sql.arguments(values))
        report_if_slow(sql.text, time.perf_counter() - began)
        return [statement.row(**dict(record)) for record in records]

    async def run(self, statement: Statement[RowT], **values: object) -> int:
        """Run a statement for its effect; answers with the number of rows it touched."""
        sql = statement.sql
        began = time.perf_counter()
        status = await self.connection.execute(sql.text, *sql.arguments(values))
        report_if_slow(sql.text, time.perf_counter() - began)
        return int(status.rsplit(" ", 1)[-1])

    async def each(self, statement: Statement[RowT], rows: Iterable[Mapping[str, object]]) -> None:
        """Run a statement for its effect once for each row of values, without a round trip for each."""
        sql = statement.sql
        await self.connection.executemany(sql.text, [sql.arguments(row) for row in rows])


class _OutOfReach(Transaction):
    """Where a transaction would be, for a time in which nothing may be asked of it."""

    def __init__(self) -> None:
        """There is no connection."""

    def __getattribute__(self, name: str) -> NoReturn:
        """Raises RuntimeError, whatever is asked."""
        raise RuntimeError(
            "this call shares its transaction: what it needs is in `shared`, and it writes with `ctx.write`"
        )


OUT_OF_REACH: Transaction = _OutOfReach()
"""Refuses everything."""


class Database:
    """A pool of connections of one runtime role."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", limits: TimeLimits, begin: str = "begin") -> None:
        """begin: starts a transaction."""
        self._pool = pool
        self._begin = begin
        self._patience = limits.connection
        # Connections that went from one request to the next without a visit to the pool, which costs a task each time.
        self._at_hand: list[_Held] = []
        self._waiting = 0
        self._trips = Trips(self.connection)

    @classmethod
    async def open(cls, url: str, *, size: int, limits: TimeLimits = SERVING) -> "Database":
        """Connect as the role in `url`, with at most `size` connections. Raises ThroughPooler."""
        session = SESSION | limits.of_server()
        try:
            return cls(await open_pool(url, size, server_settings=session, statement_cache_size=200), limits)
        except asyncpg.ProtocolViolationError as error:
            raise _explained(error) from error

    async def close(self) -> None:
        """Let running statements finish, then close every connection."""
        # From now on nothing stays at hand.
        self._waiting += 1
        while self._at_hand:
            await self._pool.release(self._at_hand.pop())
        await self._pool.close()

    async def report_use(self) -> None:
        """Bring the gauges of the pool up to date."""
        idle = self._pool.get_idle_size() + len(self._at_hand)
        POOL_CONNECTIONS.labels("idle").set(idle)
        POOL_CONNECTIONS.labels("in_use").set(self._pool.get_size() - idle)
        POOL_CONNECTIONS.labels("most").set(self._pool.get_max_size())
        POOL_WAITING.set(self._waiting)

    async def row(self, text: str, arguments: Sequence[object]) -> "asyncpg.Record | None":
        """The row of one read, outside any transaction and under no tenant but the one that it names itself.

        text: one statement that answers with one row, and may be run again.
        """
        return await self._trips.row(text, arguments)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection from the pool, outside any transaction and under no tenant."""
        connection = await self._take()
        try:
            yield connection  # type: ignore[misc]  # the pool's proxy stands in for the connection
        except BaseException:
            await self._pool.release(connection)
            raise
        await self._keep(connection)

    @asynccontextmanager
    async def transaction(self, tenant_id: UUID) -> AsyncIterator[Transaction]:
        """A transaction under one tenant; commits at the end, rolls back on any error."""
        begin = f"{self._begin}; select set_config('{TENANT_SETTING}', '{tenant_id}', true)"
        async with Database.connection(self) as connection, whole(connection, begin):
            yield Transaction(connection)

    async def _take(self) -> _Held:
        """A connection at hand, or else one from the pool, which is waited for."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if _lives(connection):
                return connection
            await self._pool.release(connection)
        self._waiting += 1
        try:
            with POOL_WAIT_SECONDS.time():
                return await self._pool.acquire(timeout=self._patience)
        finally:
            self._waiting -= 1

    async def _keep(self, connection: _Held) -> None:
        """Have a connection at hand for the next request, unless somebody waits at the pool.

        What went wrong on a connection is for the pool to mend, so only sound ones come here.
        """
        if self._waiting:
            await self._pool.release(connection)
        else:
            self._at_hand.append(connection)

"""Trips: reads of one statement that wait at the same time go to the database together.

Most of what a small read costs is waking: the kernel wakes a process of PostgreSQL for the question and ours for the
answer. Reads that travel together share both. A trip starts as soon as a lane is free, so a read that is alone waits
for nobody (docs/decisions/0012).
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg
import structlog

from muster.kit.db.slow import report_if_slow
from muster.kit.metrics import TRIP_READS, TRIPS_FAILED, TRIPS_LATE
from muster.kit.tracing.switch import TRACING

if TYPE_CHECKING:
    from opentelemetry.trace import Span

log = structlog.get_logger()

# Trips under way at a time. More would find fewer reads waiting for each; fewer would leave cores of the server idle.
_LANES = 4
_MOST_READS = 16
# A trip takes as many reads as are likely done in this time, and one that takes longer gives up its lane.
_LONGEST_SECONDS = 0.02
_KNOWN_STATEMENTS = 2000


@dataclass(frozen=True)
class _Read:
    """One read that waits. Its row is None when the trip came to nothing, and it should go by itself.

    span: of the read, where it is traced.
    """

    arguments: Sequence[object]
    row: "asyncio.Future[asyncpg.Record | None]"
    span: "Span | None" = None


class Trips:
    """Reads of one database. Each is one statement that answers with one row and may be run again."""

    def __init__(self, connection: Callable[[], AbstractAsyncContextManager[asyncpg.Connection]]) -> None:
        """connection: borrows one, under no transaction."""
        self._connection = connection
        self._waiting: OrderedDict[str, list[_Read]] = OrderedDict()
        self._lanes: set[asyncio.Task[None]] = set()
        self._under_way: dict[asyncio.Task[None], Sequence[_Read]] = {}
        self._seconds: dict[str, float] = {}

    async def row(self, text: str, arguments: Sequence[object]) -> "asyncpg.Record | None":
        """The row of one read. Raises what the database says of this one, whatever it says of its companions."""
        future: asyncio.Future[asyncpg.Record | None] = asyncio.get_running_loop().create_future()
        read = _Read(arguments, future, None if TRACING.spans is None else TRACING.spans.read(future))
        self._waiting.setdefault(text, []).append(read)
        self._open_lane()
        try:
            row = await read.row
        except asyncio.CancelledError:
            self._call_back()
            raise
        if row is not None:
            return row
        async with self._connection() as connection:
            return await connection.fetchrow(text, *arguments)

    def _open_lane(self) -> None:
        """Have one more lane driven where that helps, from the next turn of the event loop on: a trip takes along what
        else arrives in this one.
        """
        if self._waiting and len(self._lanes) < _LANES:
            self._lanes.add(asyncio.create_task(self._drive()))

    async def _drive(self) -> None:
        """Make trips until nobody waits, or until one has given up the lane."""
        lane = asyncio.current_task()
        assert lane is not None
        if TRACING.spans is not None:
            TRACING.spans.leave()
        try:
            while self._waiting and lane in self._lanes:
                text, reads = self._waiting.popitem(last=False)
                seats = self._seats(text)
                if len(reads) > seats:
                    self._waiting[text] = reads[seats:]
                self._under_way[lane] = reads[:seats]
                late = asyncio.get_running_loop().call_later(_LONGEST_SECONDS, self._be_late, lane)
                await self._travel(text, reads[:seats])
                late.cancel()
        finally:
            self._under_way.pop(lane, None)
            # In the turn of the event loop in which nobody waited, so that whoever comes next finds the lane free.
            self._give_up(lane)

    def _be_late(self, lane: "asyncio.Task[None]") -> None:
        TRIPS_LATE.inc()
        self._give_up(lane)

    def _give_up(self, lane: "asyncio.Task[None]") -> None:
        self._lanes.discard(lane)
        self._open_lane()

    def _call_back(self) -> None:
        """End the trips that nobody waits for any more, so that they do not keep their connections."""
        for lane, reads in self._under_way.items():
            if all(read.row.done() for read in reads):
                lane.cancel()

    def _seats(self, text: str) -> int:
        """How many reads of a statement may travel together: one until it is known how long it takes."""
        seconds = self._seconds.get(text, _LONGEST_SECONDS)
        return max(1, min(_MOST_READS, int(_LONGEST_SECONDS / seconds)))

    def _learn(self, text: str, seconds: float) -> None:
        if len(self._seconds) > _KNOWN_STATEMENTS:
            self._seconds.clear()
        # Half of what was known, since the first runs on a connection are far slower than all that follow.
        self._seconds[text] = (self._seconds.get(text, seconds) + seconds) / 2

    async def _travel(self, text: str, reads: Sequence[_Read]) -> None:
        rows: Sequence[asyncpg.Record] = ()
        has_left = False
        TRIP_READS.observe(len(reads))
        try:
            async with self._connection() as connection:
                has_left, began = True, time.perf_counter()
                rows = await connection.fetchmany(text, [read.arguments for read in reads])
                seconds = time.perf_counter() - began
                self._learn(text, seconds / len(reads))
                report_if_slow(text, seconds)
                if TRACING.spans is not None:
                    TRACING.spans.trip(text, seconds, [read.span for read in reads])
        except Exception as error:  # noqa: BLE001 - one of them is at fault; each goes again by itself, and meets its own
            TRIPS_FAILED.inc()
            log.debug("trip.failed", reads=len(reads), error=repr(error))
            if not has_left:
                _refuse(reads, error)
        finally:
            for number, read in enumerate(reads):
                if not read.row.done():
                    read.row.set_result(rows[number] if len(rows) == len(reads) else None)


def _refuse(reads: Sequence[_Read], error: Exception) -> None:
    """There is no connection to be had, and going again by itself would only wait once more."""
    for read in reads:
        if not read.row.done():
            read.row.set_exception(error)

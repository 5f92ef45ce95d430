"""What jobs follow: jobs that start in the same turn of the event loop have their facts read by one statement."""

import asyncio
import time
from collections.abc import Mapping
from typing import TypeAlias
from uuid import UUID

import structlog

from muster.kit.commands.facts import Fact, read_fact
from muster.kit.db.database import Database
from muster.kit.db.slow import report_if_slow
from muster.kit.tracing.switch import TRACING
from muster.kit.work.job import HandlerJob

log = structlog.get_logger()

_READ = """
select tenant_id, id, f.data
  from unnest($1::uuid[], $2::uuid[]) as asked (tenant_id, id) join facts f using (tenant_id, id)
"""
_Key: TypeAlias = tuple[UUID, UUID]


class UnknownFact(Exception):
    """A fact of a kind or version that this release does not know; a worker of the next release may take the job."""


class Facts:
    """Reads the facts of one worker's jobs."""

    def __init__(self, database: Database) -> None:
        """database: as the worker, who reads the facts of every tenant; each is asked for by its own."""
        self._database = database
        self._asked: set[_Key] = set()
        self._next: asyncio.Task[Mapping[_Key, str]] | None = None

    async def of(self, call: HandlerJob) -> Fact | None:
        """The fact to follow; None when it is gone, with the person or tenant it was about. Raises UnknownFact."""
        if self._next is None:
            self._next = asyncio.create_task(self._read())
        key = (call.tenant_id, call.fact_id)
        self._asked.add(key)
        # One that is cancelled leaves the others their facts.
        data = (await asyncio.shield(self._next)).get(key)
        if data is None:
            log.info("handler.fact_is_gone")
            return None
        fact = read_fact(call.kind, call.version, data)
        if fact is None:
            raise UnknownFact(f"{call.kind} version {call.version}: run the release that recorded it")
        return fact

    async def _read(self) -> Mapping[_Key, str]:
        asked, self._asked, self._next = self._asked, set(), None
        if TRACING.spans is not None:
            TRACING.spans.leave()
        async with self._database.connection() as connection:
            began = time.perf_counter()
            rows = await connection.fetch(_READ, *map(list, zip(*asked, strict=True)))
            report_if_slow(_READ, time.perf_counter() - began)
        return {(row["tenant_id"], row["id"]): row["data"] for row in rows}

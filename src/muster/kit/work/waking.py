"""Waking the sequencer from a process that serves: after commits, outside their transactions, many in one."""

import asyncio

import structlog

from muster.kit.db.channels import OUTBOX
from muster.kit.db.database import Database

log = structlog.get_logger()

_COALESCED_SECONDS = 0.002


class Waker:
    """Tells the sequencer that facts wait. NOTIFY inside a command's transaction would line all commits up."""

    def __init__(self) -> None:
        self._facts_wait = asyncio.Event()

    def wake(self) -> None:
        """Say that facts wait; costs nothing, and many calls at once make one notification."""
        self._facts_wait.set()

    async def run(self, database: Database) -> None:
        """Pass wake-ups on until cancelled. One that fails is lost, and the sequencer's own poll finds the facts."""
        while True:
            await self._facts_wait.wait()
            self._facts_wait.clear()
            try:
                async with database.connection() as connection:
                    await connection.execute(f"select pg_notify('{OUTBOX}', '')")
            except Exception as error:  # noqa: BLE001 - the database is away; commands say so to their callers
                log.info("waker.failed", error=repr(error))
            await asyncio.sleep(_COALESCED_SECONDS)

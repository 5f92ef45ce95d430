"""A whole Muster under its supervisor, whose parts can be killed."""

import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, embedded_urls
from muster.testing.throwaway import throwaway_folder
from tests.storm.processes import end_of, environment, free_port, supervising, until_ready

PARTS = ("serve", "worker", "postgres")


class House:
    """`muster up` on a data directory of its own, with durable settings."""

    def __init__(self, folder: Path, port: int, supervisor: Process) -> None:
        self.port = port
        self.urls: Urls = embedded_urls(EmbeddedPostgres(folder))
        self._supervisor = supervisor
        self._log = folder / "up.log"

    def kill(self, part: str) -> bool:
        """End one part with SIGKILL, of the database only the postmaster; False when it is not there just now."""
        for child in psutil.Process(self._supervisor.pid).children():
            with suppress(psutil.NoSuchProcess, IndexError):
                command = child.cmdline()
                if part == (Path(command[0]).name if Path(command[0]).name == "postgres" else command[-1]):
                    os.kill(child.pid, signal.SIGKILL)
                    return True
        return False

    async def until_ready(self) -> None:
        """Wait until the API serves again."""
        await until_ready(self.port, self._supervisor, self._log)

    def said(self) -> str:
        """The end of what the house has written."""
        return end_of(self._log)


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    """A house that is ready, stopped and removed at the end."""
    folder = throwaway_folder("muster-house-")
    port = free_port()
    environ = environment(MUSTER_DATA_DIR=str(folder), PORT=str(port))
    try:
        async with supervising(folder / "up.log", environ) as supervisor:
            up = House(folder, port, supervisor)
            await up.until_ready()
            yield up
    finally:
        shutil.rmtree(folder)

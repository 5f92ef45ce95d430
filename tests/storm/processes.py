"""The real processes: `muster serve` and `muster worker` on a database of the test."""

import asyncio
import os
import socket
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from muster.kit.db.migrate import Urls
from muster.testing import shell
from tests.storm.client import Connection
from tests.storm.people import SECRET

STARTING_SECONDS = 60.0
STOPPING_SECONDS = 45.0


def free_port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


def environment(**values: str) -> Mapping[str, str]:
    """The environment of a process: ours, without what would point it elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "MUSTER_"))}
    return {
        **kept,
        "MUSTER_CITIES": "off",
        "MUSTER_ENV": "test",
        "JWT_SECRET": SECRET,
        "LOG_LEVEL": "warning",
        **values,
    }


@asynccontextmanager
async def supervising(log: Path, environ: Mapping[str, str]) -> AsyncIterator[Process]:
    """`muster up` as a process that writes into `log`; it is asked to stop at the end, then made to."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "muster.cli", "up", env=environ, stdout=output, stderr=output
        )
    async with _stopped(process):
        yield process


@asynccontextmanager
async def _stopped(process: Process | shell.Running) -> AsyncIterator[None]:
    """Ask a process to stop at the end, then make it."""
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOPPING_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


@dataclass(frozen=True)
class Running:
    """A process of ours that can be killed. port: of an API; 0 for a worker."""

    process: shell.Running
    port: int = 0

    async def kill(self) -> None:
        """End it by SIGKILL, in the middle of whatever it does."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def serving(urls: Urls, folder: Path) -> AsyncIterator[Running]:
    """An API process on its own port, ready."""
    port = free_port()
    log = folder / f"serve-{port}.log"
    environ = environment(DATABASE_URL=urls.app, PORT=str(port))
    process = shell.Running("serve", folder=folder, log=log, environ=environ)
    async with _stopped(process):
        await until_ready(port, process, log)
        yield Running(process, port)


@asynccontextmanager
async def working(urls: Urls, folder: Path, name: str = "worker") -> AsyncIterator[Running]:
    """A worker process."""
    addresses = {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner, "DATABASE_WORKER_URL": urls.worker}
    log = folder / f"{name}.log"
    process = shell.Running("worker", folder=folder, log=log, environ=environment(**addresses))
    async with _stopped(process):
        yield Running(process)


async def is_ready(port: int) -> bool:
    """Whether the API on a port can serve."""
    connection = Connection(port)
    try:
        return (await connection.ask(None, "GET", "/health/ready")).acknowledged
    except OSError:
        return False
    finally:
        connection.close()


async def until_ready(port: int, process: Process | shell.Running, log: Path) -> None:
    """Wait until the API serves. Fails with what the process said when it ends or takes too long."""
    deadline = time.monotonic() + STARTING_SECONDS
    while not await is_ready(port):
        if process.returncode is not None or time.monotonic() > deadline:
            raise AssertionError(f"it does not serve:\n{end_of(log)}")
        await asyncio.sleep(0.05)


def end_of(log: Path) -> str:
    """The last lines that a process has written, for whoever looks for what went wrong."""
    return log.read_text(errors="replace")[-6000:]

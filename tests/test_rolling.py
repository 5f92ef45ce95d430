"""Two processes on one port, restarted one after the other under load: every request is answered."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil

from muster.kit.db.migrate import Urls
from tests.storm.processes import environment, free_port

PATIENCE = 60.0
_REQUEST = b"GET /api/v1/events?first=1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def _up(urls: Urls, port: int, folder: Path, **settings: str) -> AsyncIterator[psutil.Process]:
    """`muster up` with two processes of the API, both of which serve."""
    addresses = {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner, "DATABASE_WORKER_URL": urls.worker}
    environ = environment(**addresses, PORT=str(port), MUSTER_DATA_DIR=str(folder), MUSTER_DEMO="off", **settings)
    arguments = [sys.executable, "-m", "muster.cli", "up", "--processes", "2"]
    process = await asyncio.create_subprocess_exec(*arguments, env=environ, stdout=DEVNULL)
    try:
        supervisor = psutil.Process(process.pid)
        await _until_two_serve(supervisor, port, without=set())
        yield supervisor
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), PATIENCE)


def _serving(supervisor: psutil.Process) -> set[int]:
    """The processes that serve the API."""
    found: set[int] = set()
    for child in supervisor.children():
        with suppress(psutil.NoSuchProcess):  # a process that ends shows no command line
            found.update({child.pid} if "serve" in child.cmdline() else ())
    return found


async def _until_two_serve(supervisor: psutil.Process, port: int, *, without: set[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(_serving(supervisor) - without) < 2:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.05)
        while not await _is_answered(port):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


async def _is_answered(port: int) -> bool:
    """Whether a request on a connection of its own is answered with 200."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_REQUEST)
        answer = await reader.read()
        writer.close()
    except OSError:
        return False
    return answer.startswith(b"HTTP/1.1 200 ")


async def _measured_by(port: int, names: set[str]) -> str:
    """What all processes have measured, from the one address for it, once each of these tells."""
    async with asyncio.timeout(PATIENCE):
        while True:
            told = await _measured(port)
            if set(re.findall(r'^facts_lag_seconds{process="([^"]+)"}', told, re.MULTILINE)) == names:
                return told
            await asyncio.sleep(0.1)


async def _measured(port: int) -> str:
    """What is told at an address of metrics; nothing while nobody listens there."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
    except OSError:
        return ""
    return answer.decode()


async def test_a_rolling_restart_answers_every_request(urls: Urls, tmp_path: Path) -> None:
    port, over, answers = free_port(), asyncio.Event(), []

    async def ask() -> None:
        while not over.is_set():
            answers.append(await _is_answered(port))

    metrics = free_port()
    async with _up(urls, port, tmp_path, MUSTER_METRICS_BIND=f"127.0.0.1:{metrics}") as supervisor:
        before = _serving(supervisor)
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as asking:
            for _ in range(8):
                asking.create_task(ask())
            os.kill(supervisor.pid, signal.SIGUSR1)
            await _until_two_serve(supervisor, port, without=before)
            over.set()
        told = await _measured_by(metrics, {"serve", "serve 2", "worker"})
    # The worker is in no way asked by itself, and tells what only it knows.
    assert re.search(r'^jobs_kept{process="worker"', told, re.MULTILINE)
    assert len(answers) > 100
    assert all(answers), f"{answers.count(False)} of {len(answers)} were lost"

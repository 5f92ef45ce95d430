"""Several processes on one port: restarted one after the other under load they answer every request, and they hold rates
together in the store that they brought.
"""

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
from muster.testing.thoroughness import as_much_as
from tests.storm.processes import environment, free_port

PATIENCE = 60.0
PROCESSES = as_much_as(2, 8)
MOST = 40
_READ = b"GET /api/v1/events?first=1 HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n"


@asynccontextmanager
async def _up(urls: Urls, port: int, folder: Path, **settings: str) -> AsyncIterator[psutil.Process]:
    """`muster up` with several processes of the API, all of which serve."""
    addresses = {"DATABASE_URL": urls.app, "DATABASE_OWNER_URL": urls.owner, "DATABASE_WORKER_URL": urls.worker}
    environ = environment(**addresses, PORT=str(port), MUSTER_DATA_DIR=str(folder), MUSTER_DEMO="off", **settings)
    arguments = [sys.executable, "-m", "muster.cli", "up", "--processes", str(PROCESSES)]
    process = await asyncio.create_subprocess_exec(*arguments, env=environ, stdout=DEVNULL)
    try:
        supervisor = psutil.Process(process.pid)
        await _until_all_serve(supervisor, port, without=set())
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


async def _until_all_serve(supervisor: psutil.Process, port: int, *, without: set[int]) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(_serving(supervisor) - without) < PROCESSES:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.05)
        while await _status(port, _READ) != 200:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


async def _status(port: int, request: bytes) -> int:
    """What a request on a connection of its own is answered with; 0 is nothing."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        answer = await reader.read()
        writer.close()
    except OSError:
        return 0
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def _post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


_REFRESH = _post("/api/v1/auth/refresh", b'{"refreshToken": "of-nobody"}')
_LOGIN = _post("/api/v1/auth/login", b'{"email": "nobody@example.org", "password": "not-their-password"}')


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
            answers.append(await _status(port, _READ))

    metrics = free_port()
    settings = {
        "MUSTER_METRICS_BIND": f"127.0.0.1:{metrics}",
        "MUSTER_RATE_LIMITS": "on",
        "MUSTER_LIMITS": f"global=999999/60 read=999999/60 api={MOST}/300",
    }
    async with _up(urls, port, tmp_path, **settings) as supervisor:
        before = _serving(supervisor)
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as asking:
            for _ in range(8):
                asking.create_task(ask())
            os.kill(supervisor.pid, signal.SIGUSR1)
            await _until_all_serve(supervisor, port, without=before)
            over.set()
        told = await _measured_by(metrics, {"serve", *(f"serve {each}" for each in range(2, PROCESSES + 1)), "worker"})
        await _hold_together(supervisor, port)
    # The worker is in no way asked by itself, and tells what only it knows.
    assert re.search(r'^jobs_kept{process="worker"', told, re.MULTILINE)
    assert len(answers) > 100
    assert set(answers) == {200}, f"{len(answers) - answers.count(200)} of {len(answers)} were lost"


async def _hold_together(supervisor: psutil.Process, port: int) -> None:
    """Not one too many is let in by all processes; with the store gone each counts for itself, and nobody signs in."""
    statuses = await asyncio.gather(*(_status(port, _REFRESH) for _ in range(2 * MOST)))
    assert (statuses.count(401), statuses.count(429)) == (MOST, MOST)
    assert await _status(port, _LOGIN) == 401
    (store,) = (each for each in supervisor.children() if "redis-server" in each.name() or "valkey" in each.name())
    store.suspend()
    statuses = await asyncio.gather(*(_status(port, _REFRESH) for _ in range(10)))
    assert set(statuses) == {401}
    assert await _status(port, _LOGIN) == 503
    store.kill()
    async with asyncio.timeout(PATIENCE):
        while await _status(port, _LOGIN) != 401:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.05)

"""Fan-out: what is said in one room reaches every socket that follows it. How many a second, and how late.

python -m bench.fanout                       # 1,000 sockets, 20 messages a second
python -m bench.fanout --sockets 10000 --rate 2
python -m bench.fanout --idle 10000          # what sockets cost that follow nothing
"""

import asyncio
import base64
import json
import os
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import cast

import httpx
import psutil
import uvloop
from cyclopts import App

from bench.meters import cpu_of, cpu_of_postgres, memory_of
from bench.servers import SECRET, Fleet, muster, running
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, migrate, provision

_CONNECTING = 50
"""Sockets that are opened at the same time."""
_MOST_PEOPLE = 1_000
_HEARD_SECONDS = 30.0
"""What has not come by then does not come."""
_STREAM = "subscription ($id: UUID!) { eventMessageAdded(eventId: $id) { cursor message { content author { name } } } }"
_EVENT = {
    "title": "A large room",
    "timezone": "UTC",
    "meetingKind": "ONLINE",
    "onlineUrl": "https://meet.example",
    "startsAt": "2030-06-01T18:00:00Z",
    "endsAt": "2030-06-01T21:00:00Z",
}

app = App(name="python -m bench.fanout", help=__doc__, version_flags=())


class Ear(asyncio.Protocol):
    """One socket of the client: it asks for the room, and notes when each element comes.

    A library for clients would cost more than what is measured. late: where seconds from saying to hearing go.
    """

    def __init__(self, token: str, event_id: str | None, late: list[float]) -> None:
        self._token, self._event_id, self._late = token, event_id, late
        self._buffer = b""
        self._greeted = False
        self.follows: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for a WebSocket."""
        # uvloop's transports are none by class.
        self._transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self._transport.write(
            "GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        """The server let go."""
        if not self.follows.done():
            self.follows.set_exception(ConnectionError(f"closed before it followed: {error or self._buffer!r}"))

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        self._buffer += data
        if not self._greeted:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head:
                raise ConnectionError(head.decode())
            self._greeted, self._buffer = True, rest
            self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        while (frame := self._frame()) is not None:
            self._hear(*frame)

    def _frame(self) -> tuple[int, bytes] | None:
        """The next frame that is whole, with its kind (RFC 6455, 5.2)."""
        buffer = self._buffer
        if len(buffer) < 4:
            return None
        length, start = buffer[1], 2
        if length == 126:
            length, start = int.from_bytes(buffer[2:4], "big"), 4
        if len(buffer) < start + length:
            return None
        self._buffer = buffer[start + length :]
        return buffer[0] & 15, buffer[start : start + length]

    def _hear(self, kind: int, body: bytes) -> None:
        if kind == 9:
            self._write(10, body)
        elif body.startswith(b'{"type":"connection_ack"'):
            if self._event_id is not None:
                payload = {"query": _STREAM, "variables": {"id": self._event_id}}
                self._send({"id": "1", "type": "subscribe", "payload": payload})
            self.follows.set_result(None)
        elif b'"type":"next"' in body:
            said = body.split(b'"content":"', 1)[1].split(b" ", 1)[0]
            self._late.append(time.perf_counter() - float(said))
        else:
            raise ConnectionError(body.decode(errors="replace"))

    def _send(self, message: object) -> None:
        self._write(1, json.dumps(message).encode())

    def _write(self, kind: int, body: bytes) -> None:
        # A mask of zeros is one, and leaves the body as it is.
        size = bytes([128 | len(body)]) if len(body) < 126 else bytes([254]) + struct.pack("!H", len(body))
        self._transport.write(bytes([128 | kind]) + size + bytes(4) + body)


@app.default
async def fanout(*, sockets: int = 1_000, rate: int = 20, seconds: int = 10, processes: int = 1, idle: int = 0) -> None:
    """Measure on a database of its own, and print the figures.

    sockets: that follow the room. rate: messages a second. seconds: how long. processes: of the API.
    idle: sockets that follow nothing; only their memory is measured then.
    """
    with TemporaryDirectory() as folder, EmbeddedPostgres(Path(folder)) as server:
        urls = provision(server)
        migrate(urls)
        os.environ |= {"SOCKETS_PER_PERSON": "1000000", "SOCKETS_PER_PROCESS": "1000000", "LOG_LEVEL": "error"}
        with muster(urls, count=processes, folder=Path(folder)) as fleet, _worker(urls, Path(folder)):
            if idle:
                await _idle(fleet, idle)
            else:
                await _deliver(fleet, psutil.Process(server.pid), sockets, rate, seconds)


async def _deliver(fleet: Fleet, postmaster: psutil.Process, sockets: int, rate: int, seconds: int) -> None:
    late: list[float] = []
    async with httpx.AsyncClient(base_url=_address(fleet), timeout=60) as http:
        people = [await _person(http, f"Person {number}") for number in range(min(sockets, _MOST_PEOPLE))]
        event_id = await _room(http, people)
        ears = await _listen(fleet, [people[number % len(people)] for number in range(sockets)], event_id, late)
        await asyncio.sleep(1)
        before, in_postgres = cpu_of(fleet.processes), cpu_of_postgres(postmaster)
        began = time.perf_counter()
        async with asyncio.TaskGroup() as saying:
            for number in range(rate * seconds):
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
                saying.create_task(_say(http, people[0], event_id))
        expected = rate * seconds * sockets
        async with asyncio.timeout(_HEARD_SECONDS):
            while len(late) < expected:  # noqa: ASYNC110 - to wake somebody for each would be measured too
                await asyncio.sleep(0.01)
    took = time.perf_counter() - began
    served, asked = cpu_of(fleet.processes) - before, cpu_of_postgres(postmaster) - in_postgres
    print(
        f"{sockets} sockets, {rate} messages a second, {len(fleet.ports)} processes: {len(late)} deliveries, "
        f"{len(late) / took:.0f} a second; said to heard {median(late) * 1000:.1f} ms, "
        f"99 of 100 within {quantiles(late, n=100)[-1] * 1000:.1f} ms; "
        f"CPU {served / len(late) * 1e6:.1f} us each, PostgreSQL {asked / len(late) * 1e6:.1f} us; "
        f"{_memory(fleet):.0f} MB, {len(ears)} still there"
    )


async def _idle(fleet: Fleet, sockets: int) -> None:
    empty = _memory(fleet)
    async with httpx.AsyncClient(base_url=_address(fleet), timeout=60) as http:
        person = await _person(http, "Somebody")
    await _listen(fleet, [person] * sockets, None, [])
    await asyncio.sleep(2)
    print(f"{sockets} idle sockets: {_memory(fleet):.0f} MB, {empty:.0f} MB before")


async def _person(http: httpx.AsyncClient, name: str) -> str:
    """The token of somebody new."""
    signed_in = await http.post("/api/v1/auth/dev-login", json={"name": name})
    token: str = signed_in.raise_for_status().json()["accessToken"]
    return token


async def _room(http: httpx.AsyncClient, people: list[str]) -> str:
    """An event of the first person that all others have joined; answers with its id."""
    owner, *others = people
    drafted = await http.post("/api/v1/events", json=_EVENT, headers=_as(owner))
    event_id: str = drafted.raise_for_status().json()["id"]
    (await http.post(f"/api/v1/events/{event_id}/publication", headers=_as(owner))).raise_for_status()
    for each in others:
        (await http.post(f"/api/v1/events/{event_id}/members", headers=_as(each))).raise_for_status()
    return event_id


async def _say(http: httpx.AsyncClient, speaker: str, event_id: str) -> None:
    content = f"{time.perf_counter()} is when this was said"
    said = await http.post(f"/api/v1/events/{event_id}/messages", json={"content": content}, headers=_as(speaker))
    said.raise_for_status()


async def _listen(fleet: Fleet, tokens: list[str], event_id: str | None, late: list[float]) -> list[Ear]:
    """Open a socket for each token, turn by turn on every process of the fleet."""
    loop, free = asyncio.get_running_loop(), asyncio.Semaphore(_CONNECTING)

    async def one(number: int, token: str) -> Ear:
        async with free:
            port = fleet.ports[number % len(fleet.ports)]
            _, ear = await loop.create_connection(lambda: Ear(token, event_id, late), "127.0.0.1", port)
            await ear.follows
            return ear

    return await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens)))


@contextmanager
def _worker(urls: Urls, folder: Path) -> Iterator[None]:
    """The worker, whose sequencer gives facts their positions."""
    environ = {
        "MUSTER_ENV": "development",
        "JWT_SECRET": SECRET,
        "DATABASE_URL": urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "DATABASE_WORKER_URL": urls.worker,
        "PYTHONPATH": "",
    }
    with running([sys.executable, "-m", "muster.cli", "worker"], environ, folder):
        yield


def _as(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _address(fleet: Fleet) -> str:
    return f"http://127.0.0.1:{fleet.ports[0]}"


def _memory(fleet: Fleet) -> float:
    return sum(memory_of(each) for each in fleet.processes)


if __name__ == "__main__":
    uvloop.run(app.run_async())

"""The client: a few hundred keep-alive requests at once, as cheaply as Python can send them.

It runs as a process of its own, the same for every server: `python -m bench.load`, a `Load` in, a `Sent` out (msgpack).
Requests are whole before the clock starts; of an answer only status, length and a mark of failure are looked at.
"""

import asyncio
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from itertools import cycle
from pathlib import Path

import msgspec
import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_ROOT = Path(__file__).resolve().parent.parent
_GOOD = (b"200", b"201")


class Load(msgspec.Struct, frozen=True):
    """What to send.

    ports: of the loopback; connection number n goes to port n modulo their number. scripts: the requests of each
    connection, whole. again: start over at a script's end; else the connection is done. warm, seconds: how long to
    send before measuring, and while. failed: a mark in the body of an answer that is no success.
    """

    ports: tuple[int, ...]
    scripts: Sequence[Sequence[bytes]]
    seconds: float
    warm: float
    again: bool = True
    failed: bytes = b'"errors":['


class Sent(msgspec.Struct, frozen=True):
    """What came of it.

    requests: answered in all, the warm ones included. rate: requests a second while measured. p50, p99: of their
    latencies, in ms. failures: answers that were no success; sample: the first of them. client: CPU seconds spent here.
    """

    requests: int
    rate: float
    p50: float
    p99: float
    failures: int
    sample: str
    client: float


def send(load: Load) -> Sent:
    """Send a load from a process of its own and wait for what comes of it."""
    command = [sys.executable, "-m", "bench.load"]
    ran = subprocess.run(command, input=msgspec.msgpack.encode(load), stdout=subprocess.PIPE, cwd=_ROOT, check=True)
    return msgspec.msgpack.decode(ran.stdout, type=Sent)


class _Tally:
    def __init__(self, load: Load, connections: int) -> None:
        now = time.perf_counter()
        self.begins, self.ends = now + load.warm, now + load.warm + load.seconds
        self.failed = load.failed
        self.latencies: list[float] = []
        self.requests = self.failures = 0
        self.sample = ""
        self.open = connections
        self.last = now
        self.done = asyncio.get_running_loop().create_future()

    def close(self) -> None:
        self.open -= 1
        if not self.open and not self.done.done():
            self.done.set_result(None)


class _Connection(asyncio.Protocol):
    """One keep-alive connection that sends its next request when the last one is answered."""

    def __init__(self, script: Sequence[bytes], tally: _Tally, *, again: bool) -> None:
        self._requests = cycle(script) if again else iter(script)
        self._tally = tally
        self._buffer = b""
        self._finished = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # of a TCP connection
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._finished:
            self._tally.failures += 1
            self._tally.sample = self._tally.sample or f"the server closed the connection: {error}"
            self._tally.close()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = _LENGTH.search(head)
        if length is None:
            raise ValueError("an answer without Content-Length")
        if len(body) < int(length[1]):
            return
        self._buffer = b""
        self._count(head, body)
        self._next()

    def _count(self, head: bytes, body: bytes) -> None:
        tally, now = self._tally, time.perf_counter()
        tally.requests += 1
        if head[9:12] not in _GOOD or tally.failed in body:
            tally.failures += 1
            tally.sample = tally.sample or f"{head[9:12].decode()} {body[:300].decode(errors='replace')}"
        if self._sent >= tally.begins:
            tally.latencies.append(now - self._sent)
        tally.last = now

    def _next(self) -> None:
        request = next(self._requests, None)
        self._sent = time.perf_counter()
        if request is None or self._sent >= self._tally.ends:
            self._finished = True
            self._transport.close()
            self._tally.close()
        else:
            self._transport.write(request)


async def _run(load: Load) -> Sent:
    tally, loop = _Tally(load, len(load.scripts)), asyncio.get_running_loop()
    for number, script in enumerate(load.scripts):
        port = load.ports[number % len(load.ports)]
        await loop.create_connection(partial(_Connection, script, tally, again=load.again), "127.0.0.1", port)
    async with asyncio.timeout(load.warm + load.seconds + 60):
        await tally.done
    latencies = sorted(tally.latencies) or [float("nan")]
    return Sent(
        requests=tally.requests,
        rate=len(tally.latencies) / max(tally.last - tally.begins, 1e-9),
        p50=latencies[len(latencies) // 2] * 1000,
        p99=latencies[min(len(latencies) * 99 // 100, len(latencies) - 1)] * 1000,
        failures=tally.failures,
        sample=tally.sample,
        client=time.process_time(),
    )


if __name__ == "__main__":
    sent = uvloop.run(_run(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Load)))
    sys.stdout.buffer.write(msgspec.msgpack.encode(sent))

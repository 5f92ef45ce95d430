"""The client of the fan-out: thousands of sockets that listen to one room, and one voice that speaks in it.

It runs as a process of its own, the same for every server: `python -m bench.ears`, an `Audience` in, a `Heard` out
(msgpack). It reads frames off plain sockets in one loop: a library, or an event loop, would cost more than what is measured.
"""

import base64
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

import msgspec

_ROOT = Path(__file__).resolve().parent.parent
_STREAM = "subscription ($id: UUID!) { eventMessageAdded(eventId: $id) { cursor message { content author { name } } } }"
_MARK = b'"content":"'
_STAMP = 17
"""Characters of the moment that every message begins with: seconds with six decimals, padded with zeros."""
_CONNECTING = 50
"""Sockets that are on their way in at the same time."""
_SILENCE_SECONDS = 30.0
"""What has not come by then does not come."""
_SETTLING_SECONDS = 1.0
_READ = 65_536
_READY = b"ready"


class Audience(msgspec.Struct, frozen=True):
    """Who listens, and what is said.

    ports: of the loopback, in turn. tokens: of people, in turn; the first one speaks. room: the id of the event; without
    one, sockets only stay open. rate: messages a second; 0 says the next one when all but `ahead` have been heard by
    everybody. messages: how many are measured; `warm` more come before.
    """

    ports: tuple[int, ...]
    tokens: tuple[str, ...]
    sockets: int
    room: str | None
    rate: float
    messages: int
    ahead: int = 2
    warm: int = 3


class Heard(msgspec.Struct, frozen=True):
    """What came of it.

    deliveries, seconds: measured. p50, p99: from just before saying to hearing, in ms. missed: what never came.
    client: CPU seconds of this process while it measured.
    """

    deliveries: int
    seconds: float
    p50: float
    p99: float
    missed: int
    client: float


class Ear:
    """One socket that follows the room."""

    def __init__(self, hall: "Listeners", connection: socket.socket, token: str) -> None:
        self._hall, self.connection, self._token = hall, connection, token
        self._rest = b""
        self._greeted = False
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(
            "GET /graphql HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )

    def ready(self) -> None:
        """Take what has come: frames of a server have no mask (RFC 6455, 5.2)."""
        data = self.connection.recv(_READ)
        if not data:
            raise ConnectionError("a server closed a socket")
        if self._rest:
            data = self._rest + data
        if not self._greeted:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if b" 101 " not in head:
                raise ConnectionError(head.decode(errors="replace"))
            self._greeted = True
            self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
        while len(data) >= 4:
            length, start = data[1], 2
            if length == 126:
                length, start = data[2] << 8 | data[3], 4
            end = start + length
            if len(data) < end:
                break
            body = data[start:end]
            if data[0] == 129 and _MARK in body:
                self._hall.heard(body)
            else:
                self._other(data[0] & 15, body)
            data = data[end:]
        self._rest = data

    def _other(self, kind: int, body: bytes) -> None:
        if kind == 9:
            self._write(10, body)
        elif b'"connection_ack"' in body:
            if self._hall.room is not None:
                payload = {"query": _STREAM, "variables": {"id": self._hall.room}}
                self._send({"id": "1", "type": "subscribe", "payload": payload})
            self._hall.greeted += 1
        elif b'"ping"' in body:
            self._send({"type": "pong"})
        else:
            raise ConnectionError(body.decode(errors="replace"))

    def _send(self, message: object) -> None:
        self._write(1, json.dumps(message).encode())

    def _write(self, kind: int, body: bytes) -> None:
        # A mask of zeros is one, and leaves the body as it is.
        size = bytes([128 | len(body)]) if len(body) < 126 else bytes([254]) + len(body).to_bytes(2, "big")
        self.connection.sendall(bytes([128 | kind]) + size + bytes(4) + body)


class Voice:
    """The connection of who speaks: one request at a time goes out, and all others wait for their turn."""

    def __init__(self, connection: socket.socket, token: str, room: str) -> None:
        self.connection, self.said = connection, 0
        self._head = (
            f"POST /api/v1/events/{room}/messages HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n"
            "Accept: application/json\r\nContent-Type: application/json\r\n"
        )
        self._waiting = 0
        self._is_speaking = False

    def speak(self) -> None:
        """Say one more thing, now or when the last one is answered."""
        self.said += 1
        self._waiting += 1
        self._next()

    def ready(self) -> None:
        """Take the answer."""
        answer = self.connection.recv(_READ)
        if answer[9:12] not in (b"200", b"201"):
            raise ConnectionError(f"the server did not take what was said: {answer[:500].decode(errors='replace')}")
        self._is_speaking = False
        self._next()

    def _next(self) -> None:
        if self._waiting and not self._is_speaking:
            self._waiting -= 1
            self._is_speaking = True
            body = f'{{"content":"{time.perf_counter():0{_STAMP}.6f} is when this was said"}}'
            self.connection.sendall(f"{self._head}Content-Length: {len(body)}\r\n\r\n{body}".encode())


class Listeners:
    """Everybody who listens. late: seconds from saying to hearing, of each delivery."""

    def __init__(self, audience: Audience) -> None:
        self.room, self.greeted = audience.room, 0
        self.late: list[float] = []
        self._audience = audience
        self._selector = selectors.DefaultSelector()

    def heard(self, body: bytes) -> None:
        """One delivery."""
        at = body.find(_MARK) + len(_MARK)
        self.late.append(time.perf_counter() - float(body[at : at + _STAMP]))

    def come_in(self) -> None:
        """Open every socket."""
        opened = 0
        while self.greeted < self._audience.sockets:
            while opened < self._audience.sockets and opened - self.greeted < _CONNECTING:
                token = self._audience.tokens[opened % len(self._audience.tokens)]
                self._follow(Ear(self, self._connect(opened), token))
                opened += 1
            self._turn(_SILENCE_SECONDS)

    def settle(self) -> None:
        """Let the last ones arrive, and answer whatever the server asks meanwhile."""
        until = time.perf_counter() + _SETTLING_SECONDS
        while (left := until - time.perf_counter()) > 0:
            self._turn(left, patient=False)

    def listen(self) -> Heard:
        """Say everything and hear it."""
        audience = self._audience
        voice = Voice(self._connect(0), audience.tokens[0], str(audience.room))
        self._follow(voice)
        self._say(voice, audience.warm, rate=0)
        self.late.clear()
        began, cpu = time.perf_counter(), time.process_time()
        missed = self._say(voice, audience.messages, rate=audience.rate)
        seconds, spent = time.perf_counter() - began, time.process_time() - cpu
        late = sorted(self.late) or [float("nan")]
        p50, p99 = late[len(late) // 2], late[min(len(late) * 99 // 100, len(late) - 1)]
        return Heard(len(self.late), seconds, p50 * 1000, p99 * 1000, missed, spent)

    def _say(self, voice: Voice, messages: int, *, rate: float) -> int:
        """Say so many things; answers with how many deliveries never came."""
        sockets, before, began = self._audience.sockets, len(self.late), time.perf_counter()
        expected, said = messages * sockets, 0
        while (left := expected - (len(self.late) - before)) > 0:
            if said < messages and self._is_due(said, left, began, messages, rate):
                voice.speak()
                said += 1
                continue
            wait = began + said / rate - time.perf_counter() if rate and said < messages else _SILENCE_SECONDS
            if not self._turn(max(wait, 0), patient=False) and said == messages:
                break
        return max(left, 0)

    def _is_due(self, said: int, left: int, began: float, messages: int, rate: float) -> bool:
        if rate:
            return time.perf_counter() >= began + said / rate
        unheard = said * self._audience.sockets - (messages * self._audience.sockets - left)
        return unheard < self._audience.ahead * self._audience.sockets

    def _turn(self, seconds: float, *, patient: bool = True) -> bool:
        """Wait for whatever comes; answers with whether anything did. Raises TimeoutError when that must not be."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            key.data()
        if patient and not ready:
            raise TimeoutError("a server did not let a socket in")
        return bool(ready)

    def _connect(self, number: int) -> socket.socket:
        ports = self._audience.ports
        connection = socket.create_connection(("127.0.0.1", ports[number % len(ports)]))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _follow(self, who: Ear | Voice) -> None:
        self._selector.register(who.connection, selectors.EVENT_READ, who.ready)


@contextmanager
def listening(audience: Audience) -> Iterator[Callable[[], Heard]]:
    """An audience in a process of its own: everybody is in, and nothing is said before its outcome is asked for."""
    command = [sys.executable, "-m", "bench.ears"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(_framed(msgspec.msgpack.encode(audience)))
        process.stdin.flush()
        if process.stdout.read(len(_READY)) != _READY:
            raise RuntimeError("not everybody could come in; see above")
        yield partial(_outcome, process.stdin, process.stdout)
        process.stdin.close()


def _outcome(told: IO[bytes], said: IO[bytes]) -> Heard:
    told.write(_READY)
    told.flush()
    return msgspec.msgpack.decode(said.read(), type=Heard)


def _framed(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


def _main() -> None:
    asked, answered = sys.stdin.buffer, sys.stdout.buffer
    size = int.from_bytes(asked.read(4), "big")
    listeners = Listeners(msgspec.msgpack.decode(asked.read(size), type=Audience))
    listeners.come_in()
    listeners.settle()
    answered.write(_READY)
    answered.flush()
    if asked.read(len(_READY)):
        answered.write(msgspec.msgpack.encode(listeners.listen()))


if __name__ == "__main__":
    _main()

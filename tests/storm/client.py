"""A client that costs next to nothing, so that what a storm measures is the server."""

import asyncio
from typing import Any, cast

import httptools
import msgspec


class Answer(msgspec.Struct, frozen=True):
    """What came back: the status and the decoded body."""

    status: int
    body: Any

    @property
    def acknowledged(self) -> bool:
        """Whether the server promised that it is done."""
        return 200 <= self.status < 300


class Connection(asyncio.Protocol):
    """One connection, kept open, with one request at a time on it; made anew when the server closed it meanwhile."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._answer: asyncio.Future[Answer] | None = None
        self._transport: asyncio.Transport | None = None

    async def ask(self, token: str | None, method: str, path: str, body: object = None) -> Answer:
        """Send one request and wait for its answer. Raises OSError when nobody listens or the connection is lost."""
        if self._transport is None:
            await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", self._port)
        assert self._transport is not None
        content = b"" if body is None else msgspec.json.encode(body)
        head = f"{method} {path} HTTP/1.1\r\nhost: storm\r\ncontent-length: {len(content)}\r\n"
        head += "content-type: application/json\r\n" if content else ""
        head += f"authorization: Bearer {token}\r\n" if token else ""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(head.encode() + b"\r\n" + content)
        return await self._answer

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not an assertion: uvloop's transports are no subclass of it.
        self._transport = cast("asyncio.Transport", transport)
        self._parser = httptools.HttpResponseParser(self)
        self._body.clear()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionResetError(f"the connection was lost before the answer: {exc}"))

    def on_body(self, body: bytes) -> None:
        """A piece of the body (called by httptools)."""
        self._body += body

    def on_message_complete(self) -> None:
        """The answer is whole (called by httptools)."""
        content, self._body = self._body, bytearray()
        if self._answer is not None and not self._answer.done():
            body = msgspec.json.decode(content) if content else None
            self._answer.set_result(Answer(self._parser.get_status_code(), body))

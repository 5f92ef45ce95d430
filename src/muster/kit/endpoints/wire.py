"""The wire: uvicorn's HTTP, with three differences.

The head of a request has a bound; uvicorn would collect one for as long as it is sent. And head and body of an answer go
out in one piece; uvicorn writes them one after the other, and each write is a call of the kernel that wakes the client.
When the server stops, whoever has just connected may ask once; uvicorn would close on them.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from muster.kit.endpoints.problem import LARGEST_HEAD

_LAST_SECONDS = 1.0
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection on which a head goes on past the bound. A head that is whole is measured by the frame, which
    answers with more words.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Bytes of a head that is not whole yet; None while a body is under way.
        self._head: int | None = 0
        self._has_asked = self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection."""
        super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]  # it stands in for one

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._head = None
        super().on_headers_complete()
        self._has_asked = True
        if self._is_last:
            self.cycle.keep_alive = False

    def shutdown(self) -> None:
        """The server stops: end the connection, after the request that runs or that is on its way here."""
        if not self._has_asked and not self._is_last:
            self._is_last = True
            self.loop.call_later(_LAST_SECONDS, self.shutdown)
        else:
            super().shutdown()

    def on_message_complete(self) -> None:
        """The request is whole; what follows on this connection is the head of the next one."""
        self._head = 0
        super().on_message_complete()


class _Gathering:
    """A transport that sends what was written in one turn of the event loop at once; in all else the one it wraps."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self._transport.is_closing():
            self._transport.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

"""The wire: uvicorn's HTTP, with six differences.

The head of a request has a bound; uvicorn would collect one for as long as it is sent. A request has to arrive within a
time; uvicorn would wait for the rest of one for ever, so a few clients that send a byte now and then could hold all its
connections (https://owasp.org/www-community/attacks/Slow_Loris). Head and body of an answer go out in one piece; uvicorn
writes them one after the other, and each write is a call of the kernel that wakes the client. And when the server stops,
whoever has just connected may ask once; uvicorn would close on them. Answers without an end it would wait for; they are
cut off, and their clients connect again. And whoever does not read what they asked for is let go.
"""

import asyncio
from collections.abc import Iterable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from muster.kit.endpoints.problem import LARGEST_HEAD

ENDLESS = "muster.endless"
"""In the state of a request's scope: when its answer began, which goes on until its client leaves."""

_LAST_SECONDS = 1.0
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class BoundedHttp(HttpToolsProtocol):
    """Ends a connection on which a head goes on past the bound. A head that is whole is measured by the frame, which
    answers with more words. Ends one, too, on which a request does not arrive whole.

    patience: seconds from the first byte of a request to its last, from a connection to its first byte, and for which
    nothing is read of an answer.
    """

    patience = 30.0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Bytes of a head that is not whole yet; None while a body is under way.
        self._head: int | None = 0
        self._has_asked = self._is_last = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection."""
        super().connection_made(Gathering(transport, self.loop))  # type: ignore[arg-type]  # it stands in for one
        self._deadline = self.loop.call_later(self.patience, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the connection go."""
        self._arrived()
        self._read()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client reads more slowly than it is written to."""
        super().pause_writing()
        self._unread = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """It has read most of it."""
        self._read()
        super().resume_writing()

    def _read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > LARGEST_HEAD and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()
        # Most requests arrive in one piece, and then there is neither anything to set nor to take back.
        if self._head == 0:
            self._arrived()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(self.patience, self._give_up)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        # Before the first request there is none, whatever uvicorn's annotation says.
        cycle: RequestResponseCycle | None = self.cycle
        # An answer that is under way is not interrupted by another.
        if cycle is None or cycle.response_complete or (self._head is None and not cycle.response_started):
            self.transport.write(_TOO_SLOW)
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
        elif self._has_asked and not self.cycle.response_complete and ENDLESS in self.cycle.scope["state"]:
            self.transport.close()
        else:
            super().shutdown()

    def on_message_complete(self) -> None:
        """The request is whole; what follows on this connection is the head of the next one."""
        self._head = 0
        super().on_message_complete()


class Gathering:
    """A transport that sends what was written in one turn of the event loop at once; in all else the one it wraps."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.wrapped, self._loop = transport, loop
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)

    def writelines(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def close(self) -> None:
        self._flush()
        self.wrapped.close()

    def _flush(self) -> None:
        pieces, self._pieces = self._pieces, []
        if pieces and not self.wrapped.is_closing():
            self.wrapped.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.wrapped, name)

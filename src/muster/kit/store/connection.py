"""One connection to the shared store, which many callers use at once: what they ask in one turn of the loop is one write.

Speaks RESP3 (https://valkey.io/topics/protocol/), since there a connection that hears messages may still ask.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import hiredis

from muster.kit.store.address import StoreAddress

Word = str | bytes | int
Reply = Any
"""bytes, int, None, or a list of replies; what it is depends on what was asked."""
Heard = Callable[[bytes, bytes], None]
"""Is told the channel and the payload of each message."""

PATIENCE_SECONDS = 0.1
"""So long an answer may take; later, the connection counts as lost."""
_HANDSHAKE_SECONDS = 1.0
_LOOKS = 3
# What answers so takes no writes, or not yet: after a fail-over the address leads to another, which a new connection finds.
_ELSEWHERE = ("READONLY", "LOADING", "MASTERDOWN")


class StoreDown(Exception):
    """The store does not answer."""


class StoreRefused(Exception):
    """The store answered with an error; the message is its own."""


class Connection(asyncio.Protocol):
    """An open connection. on_message: hears what is published where this connection listens. on_lost: is told its end."""

    def __init__(self, on_message: Heard, on_lost: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader()
        self._waiting: deque[asyncio.Future[Reply]] = deque()
        self._unsent: list[bytes] = []
        self._on_message = on_message
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._first: asyncio.Future[Reply] | None = None
        self._looks = 0

    @classmethod
    async def open(cls, address: StoreAddress, on_message: Heard, on_lost: Callable[[], None]) -> Self:
        """Connect and sign in. Raises StoreDown, StoreRefused."""
        loop, made = asyncio.get_running_loop(), (lambda: cls(on_message, on_lost))
        try:
            async with asyncio.timeout(_HANDSHAKE_SECONDS):
                if address.path:
                    _, connection = await loop.create_unix_connection(made, address.path)
                else:
                    _, connection = await loop.create_connection(made, address.host, address.port, ssl=address.security)
                await connection._sign_in(address)
                return connection
        except OSError as error:  # TimeoutError is one, too
            raise StoreDown(str(error) or "it does not answer") from error

    async def _sign_in(self, address: StoreAddress) -> None:
        try:
            who = ("AUTH", address.user, address.password) if address.password else ()
            await self.ask("HELLO", 3, *who, "SETNAME", "muster")
            if address.number:
                await self.ask("SELECT", address.number)
        except BaseException:
            self.close()
            raise

    def ask(self, *words: Word) -> asyncio.Future[Reply]:
        """Send a command. The answer comes with StoreRefused or StoreDown where it is none."""
        answer: asyncio.Future[Reply] = self._loop.create_future()
        if self._transport is None:
            _fail(answer, StoreDown("the connection is closed"))
            return answer
        self._waiting.append(answer)
        if self._watch is None:
            self._keep_watch()
        self._write(words)
        return answer

    def tell(self, *words: Word) -> None:
        """Send a command that RESP3 does not answer: SUBSCRIBE or UNSUBSCRIBE."""
        if self._transport is not None:
            self._write(words)

    def close(self) -> None:
        """Let go; whoever still waits gets StoreDown."""
        self.connection_lost(None)

    def _write(self, words: Sequence[Word]) -> None:
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(tuple(words)))  # type: ignore[arg-type]  # theirs says a tuple of one

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _keep_watch(self) -> None:
        """Look several times within the patience whether the first in line is still the same.

        One look at the clock would blame the store for a moment in which this process did not read what had come.
        """
        if not self._waiting:
            self._watch = None
            return
        self._looks = self._looks + 1 if self._waiting[0] is self._first else 0
        self._first = self._waiting[0]
        if self._looks >= _LOOKS:
            self.close()
            return
        self._watch = self._loop.call_later(PATIENCE_SECONDS / _LOOKS, self._keep_watch)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As asyncio has it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """As asyncio has it."""
        self._reader.feed(data)
        try:
            while self._transport is not None and (reply := self._reader.gets()) is not False:
                self._take(reply)
        except hiredis.ProtocolError:
            self.close()

    def _take(self, reply: Reply) -> None:
        if isinstance(reply, hiredis.PushNotification):
            if reply[0] == b"message":
                self._on_message(reply[1], reply[2])
            return
        answer = self._waiting.popleft()
        if answer.done():  # whoever asked has gone
            return
        if isinstance(reply, hiredis.ReplyError):
            text = str(reply)
            if any(word in text for word in _ELSEWHERE):
                _fail(answer, StoreDown(text))
                self.close()
            else:
                _fail(answer, StoreRefused(text))
        else:
            answer.set_result(reply)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio has it."""
        transport, self._transport = self._transport, None
        if transport is None:
            return
        transport.abort()
        if self._watch is not None:
            self._watch.cancel()
        for answer in self._waiting:
            if not answer.done():
                _fail(answer, StoreDown("it did not answer in time, or the connection broke"))
        self._waiting.clear()
        self._on_lost()


def _fail(answer: asyncio.Future[Reply], error: Exception) -> None:
    answer.set_exception(error)
    # Now asyncio takes it for seen: not everybody who tells the store something waits for what it says.
    answer.exception()

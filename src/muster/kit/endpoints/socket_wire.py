"""The wire of sockets: uvicorn's WebSocket, with two differences.

It lets go of whoever does not read. Closing waits until what is buffered has been read; who never reads would stay for
good, so here they are cut off: a client sees 1006 and connects again with its cursors.

And what many sockets are told can be written to each straight, past the layers of ASGI, in the turn of the event loop in
which it is known: those layers took twice what the kernel takes for it.
"""

import asyncio
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import State

from muster.kit.endpoints.wire import Gathering

PING_SECONDS = 20.0
"""Between an answered ping and the next; shorter than the minute after which proxies let a silent connection go."""
PONG_SECONDS = 20.0
"""How long an answer to a ping may take, behind everything that was sent before it."""
CLOSE_SECONDS = 10.0
"""How long the last words may take to be read."""
STRAIGHT = "muster.straight"
"""The extension of ASGI that gives an application `BoundedSocket.write`, as `write`."""

# A message of text that is whole.
_TEXT = 0x81


class BoundedSocket(WebSocketsSansIOProtocol):
    """Ends a connection whose other side is gone, or stands still."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ping_interval, self.ping_timeout = PING_SECONDS, PONG_SECONDS

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection over from HTTP."""
        # Each message is written whole, so there is nothing to gather.
        super().connection_made(transport.wrapped if isinstance(transport, Gathering) else transport)

    async def run_asgi(self) -> None:
        """Hold the conversation."""
        self.scope["extensions"][STRAIGHT] = {"write": self.write}
        await super().run_asgi()

    def write(self, messages: Iterable[Sequence[bytes]]) -> bool:
        """Write some messages at once, each in pieces; answers whether they were: not to a client that is behind, or gone.

        They are one call of the kernel, which is most of what a message costs.
        """
        if not self.writable.is_set() or self.close_sent or self.conn.state is not State.OPEN:
            return False
        self.transport.write(b"".join([frame_of(*pieces) for pieces in messages]))
        return True

    def keepalive_timeout(self) -> None:
        """A ping was not answered: the other side is gone, or does not read."""
        self.transport.abort()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The conversation is over."""
        super().on_task_complete(task)
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)


def frame_of(*pieces: bytes) -> bytes:
    """The frame of one message of text (RFC 6455, 5.2)."""
    size = sum(map(len, pieces))
    if size < 126:
        head = bytes((_TEXT, size))
    elif size < 65_536:
        head = struct.pack("!BBH", _TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _TEXT, 127, size)
    return b"".join((head, *pieces))

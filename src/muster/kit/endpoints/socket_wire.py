"""The wire of sockets: uvicorn's WebSocket, which lets go of whoever does not read.

Closing waits until what is buffered has been read. Who never reads would stay for good, so here they are cut off: a
client sees 1006 and connects again with its cursors.
"""

import asyncio
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PING_SECONDS = 20.0
"""Between an answered ping and the next; shorter than the minute after which proxies let a silent connection go."""
PONG_SECONDS = 20.0
"""How long an answer to a ping may take, behind everything that was sent before it."""
CLOSE_SECONDS = 10.0
"""How long the last words may take to be read."""


class BoundedSocket(WebSocketsSansIOProtocol):
    """Ends a connection whose other side is gone, or stands still."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ping_interval, self.ping_timeout = PING_SECONDS, PONG_SECONDS

    def keepalive_timeout(self) -> None:
        """A ping was not answered: the other side is gone, or does not read."""
        self.transport.abort()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """The conversation is over."""
        super().on_task_complete(task)
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

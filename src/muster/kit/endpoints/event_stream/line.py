"""A line to one client: an answer that stays open, as https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from muster.kit.endpoints.wire import ENDLESS
from muster.kit.waiting import end_with_first

MEDIA_TYPE = "text/event-stream"

_BEAT_SECONDS = 20.0
"""Between heart-beats; shorter than the minute after which proxies let a silent connection go."""
_BEAT = ":\n\n"
_HEADERS = {
    "content-type": f"{MEDIA_TYPE}; charset=utf-8",
    "cache-control": "private, no-store",
    # Tells nginx not to wait until there is more of it.
    "x-accel-buffering": "no",
}


class Line:
    """Tells one client what happens, once it is there to listen. What is told before waits.

    Sending waits while the client does not read, so what it is behind with stays where it is bounded.
    """

    def __init__(self) -> None:
        self._send: Send | None = None
        self._opened = asyncio.Event()

    def open(self, send: Send) -> None:
        """The client is there."""
        self._send = send
        self._opened.set()

    async def tell(self, event: str, data: str, *, cursor: str | None = None) -> None:
        """Tell an event. data: JSON, or nothing. cursor: what a client hands back to go on from here; empty takes it away."""
        place = "" if cursor is None else f"id: {cursor}\n"
        await self.write(f"event: {event}\n{place}data: {_on_one_line(data)}\n\n")

    async def write(self, text: str) -> None:
        """Send lines of the format as they are."""
        await self._opened.wait()
        if self._send is not None:
            await self._send({"type": "http.response.body", "body": text.encode(), "more_body": True})

    async def beat(self) -> None:
        """Keep the connection alive, until cancelled."""
        while True:
            # The first at once, since answers begin to flow with their first byte.
            await self.write(_BEAT)
            await asyncio.sleep(_BEAT_SECONDS)


class EventStream(Response):
    """The answer that a line leads through. It ends when all is told, or the client leaves.

    talk: tells it. held: what the client holds meanwhile, let go at the end.
    """

    def __init__(
        self,
        talk: Callable[[], Awaitable[object]],
        line: Line,
        held: AbstractAsyncContextManager[object],
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code, self.background = 200, None
        self.init_headers({**_HEADERS, **(headers or {})})
        self._talk, self._line, self._held = talk, line, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        async with self._held:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                scope["state"][ENDLESS] = time.perf_counter()
                self._line.open(send)
                await self._until_over(receive)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _until_over(self, receive: Receive) -> None:
        talking = asyncio.ensure_future(self._talk())
        await end_with_first({talking, asyncio.create_task(self._line.beat()), asyncio.create_task(_left(receive))})
        if not talking.cancelled():
            talking.result()


def _on_one_line(data: str) -> str:
    """JSON with other spaces where it has line breaks, which end a line of an event."""
    return data.replace("\n", " ")


async def _left(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass

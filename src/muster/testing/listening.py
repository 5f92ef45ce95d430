"""Listening to server-sent events, event by event, as a browser does."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

_PATIENCE = 20.0
"""Seconds until an event that does not come fails its test."""


@dataclass
class Heard:
    """One event, as a browser would hand it to its page."""

    event: str = ""
    data: str = ""
    id: str | None = None

    def json(self) -> Any:
        """What it tells."""
        return json.loads(self.data)


@dataclass
class Listener:
    """Somebody who reads a stream event by event. lines: of what came, heart-beats too."""

    response: httpx.Response
    _lines: AsyncIterator[str] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = self.response.aiter_lines()

    async def block(self) -> list[str]:
        """The next lines up to an empty one."""
        found: list[str] = []
        async with asyncio.timeout(_PATIENCE):
            async for text in self._lines:
                if not text:
                    return found
                found.append(text)
        raise EOFError

    async def next(self) -> Heard:
        """The next event; places alone and heart-beats are passed over."""
        while True:
            fields = dict(each.split(": ", 1) for each in await self.block() if not each.startswith(":"))
            if "event" in fields:
                return Heard(fields["event"], fields["data"], fields.get("id"))

    async def place(self) -> str:
        """The next place that stands alone."""
        while True:
            for each in await self.block():
                if each.startswith("id: "):
                    return each.removeprefix("id: ")

    async def over(self) -> bool:
        """Whether nothing more comes."""
        try:
            while True:
                if any(not each.startswith(":") for each in await self.block()):
                    return False
        except (EOFError, httpx.TransportError):
            return True


@asynccontextmanager
async def listening(http: httpx.AsyncClient, method: str, path: str, **request: Any) -> AsyncIterator[Listener]:
    """A stream, which the answer has to be; the connection is closed at the end. request: as of httpx."""
    headers = {"accept": "text/event-stream", **request.pop("headers", {})}
    async with http.stream(method, path, headers=headers, **request) as response:
        if response.status_code != 200:
            await response.aread()
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8"), (
            response.text
        )
        assert response.headers["cache-control"] == "private, no-store"
        yield Listener(response)

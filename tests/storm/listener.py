"""Somebody who listens to an event's room and stays with it, whatever happens to the API they listen through."""

import asyncio
import json
from collections.abc import AsyncGenerator
from itertools import cycle
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.storm.people import Person

_MESSAGES = """
subscription ($id: UUID!, $after: Cursor) {
  eventMessageAdded(eventId: $id, after: $after) { cursor message { sequence content } }
}
"""


class Listener:
    """Follows a room through one API after the other, from the last cursor on.

    moves: how often the connection was lost.
    """

    def __init__(self, person: Person, event_id: str, *ports: int) -> None:
        self.moves = 0
        self._heard: list[tuple[int, str]] = []
        self._person = person
        self._variables: dict[str, Any] = {"id": event_id}
        self._ports = cycle(ports)

    @property
    def heard(self) -> list[tuple[int, str]]:
        """The sequences and contents that came, as they came. Raises what ended the listening, if something did."""
        if self._listening.done():
            self._listening.result()
        return self._heard

    def start(self) -> None:
        """Listen from now on."""
        self._listening = asyncio.create_task(self._listen())

    def stop(self) -> None:
        """Listen no more."""
        self._listening.cancel()

    async def _listen(self) -> None:
        for port in self._ports:
            try:
                async for element in self._elements(port):
                    self._variables["after"] = element["cursor"]
                    self._heard.append((element["message"]["sequence"], element["message"]["content"]))
            except (OSError, ConnectionClosed):
                self.moves += 1

    async def _elements(self, port: int) -> AsyncGenerator[dict[str, Any]]:
        subprotocols = [Subprotocol("graphql-transport-ws")]
        async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=subprotocols) as socket:
            authorization = f"Bearer {self._person.token}"
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": authorization}}))
            payload = {"query": _MESSAGES, "variables": self._variables}
            async for frame in socket:
                message = json.loads(frame)
                match message["type"]:
                    case "connection_ack":
                        await socket.send(json.dumps({"id": "room", "type": "subscribe", "payload": payload}))
                    case "next":
                        yield message["payload"]["data"]["eventMessageAdded"]
                    case "ping":
                        await socket.send('{"type":"pong"}')
                    case other:
                        raise AssertionError(f"{other}: {message}")

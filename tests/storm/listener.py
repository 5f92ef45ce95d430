"""Somebody who listens to an event's room and stays with it, whatever happens to the API they listen through."""

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

    heard: the sequences and contents that came, as they came. moves: how often the connection was lost.
    """

    def __init__(self, person: Person, event_id: str, *ports: int) -> None:
        self.heard: list[tuple[int, str]] = []
        self.moves = 0
        self._person = person
        self._variables: dict[str, Any] = {"id": event_id}
        self._ports = cycle(ports)

    async def listen(self) -> None:
        """Go on until cancelled."""
        for port in self._ports:
            try:
                async for element in self._elements(port):
                    self._variables["after"] = element["cursor"]
                    self.heard.append((element["message"]["sequence"], element["message"]["content"]))
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

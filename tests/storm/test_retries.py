"""A thousand retries of a request over REST, GraphQL and the socket of two API processes, which are killed in between:
it happens once, and whoever gets an answer gets the same.
"""

import asyncio
import json
import random
from collections import Counter
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from muster.kit.db.migrate import Urls
from muster.testing.thoroughness import as_much_as
from tests.storm.client import Connection
from tests.storm.events import EVENTS, create_event
from tests.storm.people import Person, settle
from tests.storm.processes import Running, serving
from tests.storm.truth import looking

# Requests that are made, each with a key and a crash of its own, and how many answers each is sent for.
REQUESTS = as_much_as(2, thoroughly=25)
RETRIES = as_much_as(500, thoroughly=1000)
AT_ONCE = 12
# In the middle of the first requests.
CRASH_SECONDS = 0.03
BOUND_SECONDS = as_much_as(120, thoroughly=900)

SEND = "mutation ($id: UUID!, $content: String!) { sendEventMessage(eventId: $id, content: $content) { id } }"


class Retrying:
    """One request with its key, sent again and again to whoever is there. ids: of what the answers say it made."""

    def __init__(self, person: Person, event_id: str, content: str, ports: list[int]) -> None:
        self.ids: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self._headers = {"authorization": f"Bearer {person.token}"}
        self._key = f"key of {content}".replace(" ", "-")
        self._variables = {"id": event_id, "content": content}
        self._ports = ports
        self._attempts = count()

    async def retry(self, http: httpx.AsyncClient) -> None:
        """Send it until it was answered often enough, by one way after the other."""
        ways = (self._rest, self._graphql, self._socket)
        while self.outcomes.total() - self.outcomes["cut off"] < RETRIES:
            number = next(self._attempts)
            port = self._ports[number // len(ways) % len(self._ports)]
            try:
                await ways[number % len(ways)](http, port)
            except (OSError, httpx.TransportError, WebSocketException):
                self.outcomes["cut off"] += 1
                await asyncio.sleep(0.01)

    async def _rest(self, http: httpx.AsyncClient, port: int) -> None:
        answer = await http.post(
            f"http://127.0.0.1:{port}{EVENTS}/{self._variables['id']}/messages",
            json={"content": self._variables["content"]},
            headers={**self._headers, "Idempotency-Key": self._key},
        )
        self._note(answer.json(), answer.json())

    async def _graphql(self, http: httpx.AsyncClient, port: int) -> None:
        headers = {**self._headers, "Idempotency-Key": self._key}
        body = {"query": SEND, "variables": self._variables}
        told = (await http.post(f"http://127.0.0.1:{port}/graphql", json=body, headers=headers)).json()
        self._note_graphql(told)

    async def _socket(self, _http: httpx.AsyncClient, port: int) -> None:
        address = f"ws://127.0.0.1:{port}/graphql"
        protocol = Subprotocol("graphql-transport-ws")
        extensions = {"idempotencyKey": self._key}
        payload = {"query": SEND, "variables": self._variables, "extensions": extensions}
        async with connect(address, subprotocols=[protocol], proxy=None, close_timeout=1) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": self._headers}))
            await socket.recv()
            await socket.send(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
            self._note_graphql(json.loads(await socket.recv())["payload"])

    def _note_graphql(self, told: Any) -> None:
        if told.get("errors"):
            self._note(told["errors"][0]["extensions"], {})
        else:
            self._note({}, told["data"]["sendEventMessage"])

    def _note(self, problem: dict[str, Any], made: dict[str, Any]) -> None:
        """Take down what an answer says: a code, or what was made."""
        self.outcomes[problem.get("code", "done")] += 1
        if "code" not in problem:
            self.ids.append(made["id"])


def test_a_request_with_a_key_happens_once_whoever_dies(urls: Urls, tmp_path: Path) -> None:
    uvloop.run(asyncio.wait_for(_retry(urls, tmp_path), BOUND_SECONDS))


async def _retry(urls: Urls, folder: Path) -> None:
    dice = random.Random(4)
    (owner,) = await settle(urls, 1)
    async with AsyncExitStack() as stack, httpx.AsyncClient(timeout=30) as http:
        apis = [await stack.enter_async_context(serving(urls, folder)) for _ in range(2)]
        connection = Connection(apis[0].port)
        event_id = await create_event(connection, owner, places=2)
        connection.close()
        ports = [api.port for api in apis]
        for number in range(REQUESTS):
            victim = number % len(apis)
            request = Retrying(owner, event_id, f"said {number}", ports)
            retrying = [asyncio.create_task(request.retry(http)) for _ in range(AT_ONCE)]
            await asyncio.sleep(dice.uniform(0, CRASH_SECONDS))
            apis[victim] = await _crashed(apis[victim], stack, urls, folder)
            ports[victim] = apis[victim].port
            await asyncio.gather(*retrying)
            _check(request)
            await _check_effect(urls, f"said {number}", request.ids[0])


async def _crashed(api: Running, stack: AsyncExitStack, urls: Urls, folder: Path) -> Running:
    """Another process in the place of one that is killed."""
    await api.kill()
    return await stack.enter_async_context(serving(urls, folder))


def _check(request: Retrying) -> None:
    print(dict(request.outcomes))
    assert request.outcomes.keys() <= {"done", "cut off", "IDEMPOTENCY_IN_PROGRESS", "UNAVAILABLE"}
    assert request.outcomes["done"] > RETRIES // 2
    assert len(set(request.ids)) == 1


async def _check_effect(urls: Urls, content: str, message_id: str) -> None:
    async with looking(urls) as connection:
        found = await connection.fetch("select id from messages where content = $1", content)
        facts = await connection.fetchval(
            "select count(*) from facts where kind like 'message.%' and data::text like $1", f"%{message_id}%"
        )
    assert [str(row["id"]) for row in found] == [message_id]
    assert facts == 1

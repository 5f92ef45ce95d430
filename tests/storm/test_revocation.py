"""A session that ends, ends its sockets in every process, among others that stay."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import chain
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from muster.kit.db.migrate import Urls
from tests.storm.client import Connection
from tests.storm.people import Person, settle
from tests.storm.processes import serving

PEOPLE = 20
# Less than the round over everything takes to come, which would end them too.
BOUND_SECONDS = 15.0


async def test_signing_out_closes_sockets_in_both_processes(urls: Urls, tmp_path: Path) -> None:
    people = await settle(urls, PEOPLE)
    leaving, staying = people[::2], people[1::2]
    async with AsyncExitStack() as stack:
        ports = [(await stack.enter_async_context(serving(urls, tmp_path))).port for _ in range(2)]
        sockets = {
            person: [await stack.enter_async_context(_socket(port, person)) for port in ports] for person in people
        }
        async with asyncio.timeout(BOUND_SECONDS):
            await _sign_out(ports[0], leaving)
            for socket in chain.from_iterable(sockets[person] for person in leaving):
                await socket.wait_closed()
                assert (socket.close_code, socket.close_reason) == (4403, "Your session has ended; sign in again.")
        for socket in chain.from_iterable(sockets[person] for person in staying):
            await socket.send('{"type":"ping"}')
            assert await socket.recv() == '{"type":"pong"}'


@asynccontextmanager
async def _socket(port: int, person: Person) -> AsyncIterator[ClientConnection]:
    """A socket of somebody, initialised."""
    protocols = [Subprotocol("graphql-transport-ws")]
    async with connect(f"ws://127.0.0.1:{port}/graphql", subprotocols=protocols, proxy=None) as socket:
        payload = {"authorization": f"Bearer {person.token}"}
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        assert await socket.recv() == '{"type":"connection_ack"}'
        yield socket


async def _sign_out(port: int, people: list[Person]) -> None:
    connection = Connection(port)
    for person in people:
        assert (await connection.ask(person.token, "POST", "/api/v1/auth/logout")).acknowledged
    connection.close()

"""Whoever reads slowly, or not at all, costs a bounded amount and keeps nobody else waiting."""

import asyncio
import socket as sockets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from muster.kit.caller import Claim
from muster.kit.endpoints import socket, socket_wire
from muster.kit.endpoints.socket import PROTOCOL
from muster.kit.endpoints.tests.sites import Client, Site

_COPIES = " ".join(f"c{number}: content" for number in range(20))
LARGE = "subscription ($id: UUID!, $after: Cursor) { eventMessageAdded(eventId: $id, after: $after) { cursor message { %s } } }"
MESSAGES = LARGE % _COPIES
"""Of a message of 2,000 characters, elements of 40,000: what the kernel holds for a socket is full after a few."""


@asynccontextmanager
async def _lazy(site: Site, claim: Claim) -> AsyncIterator[Client]:
    """A client whose kernel takes little in, and who reads one frame ahead."""
    plain = sockets.socket()
    plain.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 65_536)
    plain.connect(("127.0.0.1", site.port))
    plain.setblocking(False)
    address = f"ws://127.0.0.1:{site.port}/graphql"
    # It answers pings only as long as it reads.
    async with connect(
        address, sock=plain, subprotocols=[Subprotocol(PROTOCOL)], max_queue=1, ping_interval=None, close_timeout=0.1
    ) as connection:
        client = Client(connection)
        await client.send(type="connection_init", payload={"authorization": site.token(claim)})
        assert await client.receive() == {"type": "connection_ack"}
        yield client


async def _until_everybody_is_gone(site: Site) -> None:
    async with asyncio.timeout(20):
        while site.server.server_state.connections or site.hub.size:  # noqa: ASYNC110 - uvicorn keeps sets, not events
            await asyncio.sleep(0.01)


async def test_a_slow_reader_is_told_once_and_goes_on_from_its_cursor(site: Site) -> None:
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    said = [f"{number} ".ljust(2000, "x") for number in range(200)]
    async with _lazy(site, owner) as slow, site.client(owner) as quick:
        for client in (slow, quick):
            await client.run("x", MESSAGES, id=str(event_id))
        await site.follows(2)
        for content in said:
            await site.town.say(owner, event_id, content)
            assert (await quick.receive())["payload"]["data"]["eventMessageAdded"]["message"]["c0"] == content
        heard, after = [], None
        while (told := await slow.receive())["type"] == "next":
            element = told["payload"]["data"]["eventMessageAdded"]
            heard.append(element["message"]["c0"])
            after = element["cursor"]
        assert told["payload"][0]["extensions"]["code"] == "RESYNC"
        assert heard == said[: len(heard)]
        await slow.run("x", MESSAGES, id=str(event_id), after=after)
        while len(heard) < len(said):
            heard.append((await slow.receive())["payload"]["data"]["eventMessageAdded"]["message"]["c0"])
    assert heard == said


async def test_whoever_never_reads_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_wire, "PING_SECONDS", 0.5)
    monkeypatch.setattr(socket_wire, "PONG_SECONDS", 1.0)
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with AsyncExitStack() as stack:
        deaf = [await stack.enter_async_context(_lazy(site, owner)) for _ in range(5)]
        for client in deaf:
            await client.run("x", MESSAGES, id=str(event_id))
        await site.follows(len(deaf))
        for _ in range(30):
            await site.town.say(owner, event_id, "x" * 2000)
        await _until_everybody_is_gone(site)


async def test_a_socket_on_which_nothing_happens_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "_IDLE_SECONDS", 0.3)
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with site.client(owner) as idle, site.client(owner) as follower:
        await follower.run("x", MESSAGES, id=str(event_id))
        assert await idle.closed() == (4408, "Idle; connect again when there is something to ask")
        await site.follows(1)
        await site.town.say(owner, event_id, "still here")
        assert (await follower.receive())["type"] == "next"

"""A community served on a socket, and clients that speak the protocol message by message."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from muster.identity.commands import token_keys
from muster.kit.caller import Bearer, Claim
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.execution import GraphQL
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.places import Places
from muster.kit.endpoints.socket import PROTOCOL, graphql_over_socket
from muster.kit.endpoints.socket_wire import BoundedSocket
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.tests.support import Community
from muster.main import session_cookies
from muster.tenancy.queries import find_tenant


@dataclass
class Client:
    """One socket."""

    connection: ClientConnection

    async def send(self, **message: Any) -> None:
        """Send a message of the protocol."""
        await self.connection.send(json.dumps(message))

    async def receive(self) -> Any:
        """The next message."""
        async with asyncio.timeout(10):
            return json.loads(await self.connection.recv())

    async def run(self, operation_id: str, query: str, **variables: Any) -> None:
        """Start an operation."""
        payload = {"query": query, "variables": variables}
        await self.send(id=operation_id, type="subscribe", payload=payload)

    async def closed(self) -> tuple[int, str]:
        """The code and reason with which the server closes."""
        with pytest.raises(ConnectionClosed) as raised:
            await self.receive()
        assert raised.value.rcvd is not None
        return raised.value.rcvd.code, raised.value.rcvd.reason


@dataclass
class Site:
    """A served community."""

    town: Community
    hub: Hub
    server: uvicorn.Server
    port: int

    def token(self, claim: Claim) -> str:
        """A bearer token for somebody's session."""
        assert claim.user_id is not None
        assert claim.session_id is not None
        keys = token_keys(self.town.services.settings.security)
        token, _ = keys.sign(user_id=claim.user_id, session_id=claim.session_id, now=datetime.now(UTC))
        return f"Bearer {token}"

    @asynccontextmanager
    async def socket(self, *, protocols: Sequence[str] = (PROTOCOL,)) -> AsyncIterator[Client]:
        """A socket that has said nothing yet."""
        address = f"ws://127.0.0.1:{self.port}/graphql"
        offered = [Subprotocol(each) for each in protocols] or None
        async with connect(address, subprotocols=offered, proxy=None, close_timeout=2) as connection:
            yield Client(connection)

    @asynccontextmanager
    async def client(self, claim: Claim) -> AsyncIterator[Client]:
        """A socket of somebody, initialised."""
        async with self.socket() as client:
            await client.send(type="connection_init", payload={"authorization": self.token(claim)})
            assert await client.receive() == {"type": "connection_ack"}
            yield client

    async def follows(self, streams: int) -> None:
        """Wait until just so many subscriptions are open."""
        async with asyncio.timeout(10):
            while self.hub.size != streams:  # noqa: ASYNC110 - the server says nothing to its clients when they are
                await asyncio.sleep(0.005)


@asynccontextmanager
async def opened(town: Community) -> AsyncIterator[Site]:
    """A community behind a server on a free port, as one API process serves it."""
    settings = town.services.settings
    keys = token_keys(settings.security)

    def read_token(token: str, now: datetime) -> Bearer | None:
        identity = keys.read(token, now)
        return None if identity is None else identity.bearer

    async def by_slug(slug: str) -> UUID | None:
        return await find_tenant(town.database, slug)

    edge = Edge(read_token, by_slug, town.tenant_id, session_cookies(settings))
    places = Places(settings.sockets)
    async with town.hub() as hub:
        graphql = GraphQL(replace(town.services, signals=hub), build_schema())

        async def endpoint(websocket: WebSocket) -> None:
            await graphql_over_socket(websocket, graphql, hub, edge, places)

        app = Starlette(routes=[WebSocketRoute("/graphql", endpoint)])
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=0,
            ws=BoundedSocket,
            ws_per_message_deflate=False,
            log_config=None,
            timeout_graceful_shutdown=5,
        )
        server = uvicorn.Server(config)
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield Site(town, hub, server, port)
        await server.shutdown()

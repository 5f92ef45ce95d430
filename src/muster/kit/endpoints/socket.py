"""GraphQL over a WebSocket: the `graphql-transport-ws` protocol.

Messages and close codes are those of https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from starlette.websockets import WebSocket, WebSocketDisconnect

from muster.kit.caller import Origin
from muster.kit.endpoints.conversation import GONE, Guest, Operations
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.errors import request_errors
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest
from muster.kit.endpoints.places import Places
from muster.kit.endpoints.problem import client_error
from muster.kit.endpoints.socket_wire import STRAIGHT
from muster.kit.errors import AppError
from muster.kit.ids import new_id
from muster.kit.metrics import SOCKETS
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.stream import Push

PROTOCOL = "graphql-transport-ws"
"""The one subprotocol that is spoken here."""
LARGEST_MESSAGE = 65_536
"""Characters; give the server the same limit in bytes, so that more is never held."""

_INIT_SECONDS = 10.0
_IDLE_SECONDS = 300.0
# RFC 6455, 5.5: a control frame holds 125 bytes, of which the close code takes two.
_LONGEST_REASON = 123

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class _Credentials(msgspec.Struct, frozen=True):
    authorization: str | None = None
    tenant: str | None = None


class _Init(msgspec.Struct, frozen=True, tag="connection_init"):
    payload: _Credentials | None = None


class _Ping(msgspec.Struct, frozen=True, tag="ping"):
    payload: dict[str, Any] | None = None


class _Pong(msgspec.Struct, frozen=True, tag="pong", omit_defaults=True):
    payload: dict[str, Any] | None = None


class _Subscribe(msgspec.Struct, frozen=True, tag="subscribe"):
    id: _Id
    payload: GraphQLRequest


class _Complete(msgspec.Struct, frozen=True, tag="complete"):
    id: _Id


_Message = _Init | _Ping | _Pong | _Subscribe | _Complete
_decoder: msgspec.json.Decoder[_Message] = msgspec.json.Decoder(_Message)


class _Close(Exception):
    """The socket is to be closed, with a code and a reason of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        self.code = code
        self.reason = reason.encode()[:_LONGEST_REASON].decode(errors="ignore")
        super().__init__(reason)


async def graphql_over_socket(websocket: WebSocket, graphql: GraphQL, hub: Hub, edge: Edge, places: Places) -> None:
    """Serve one socket until either side closes it, or the server stops (which closes it with 1012)."""
    with SOCKETS.track_inprogress(), suppress(*GONE):
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        outlet = _Outlet(websocket)
        operations = Operations(graphql, hub, outlet, outlet.straight)
        try:
            await _serve(websocket, operations, hub, edge, places)
        except _Close as closing:
            await operations.stop()
            await websocket.close(closing.code, closing.reason)
        finally:
            await operations.stop()


async def _serve(websocket: WebSocket, operations: Operations, hub: Hub, edge: Edge, places: Places) -> None:
    """Greet whoever comes, and converse until one side closes or they may not be here any more."""
    try:
        with places.one():
            origin = await _greet(websocket, edge)
            with places.of(origin.claim):
                await _welcome(websocket, operations, hub, origin)
    except (_Close, *GONE):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the socket closes with what may be told of it
        raise _closing(error) from None


async def _welcome(websocket: WebSocket, operations: Operations, hub: Hub, origin: Origin) -> None:
    guest = Guest(origin.claim)
    async with hub.present(guest):
        await websocket.send_text(_acknowledgement(origin))
        await guest.while_welcome(_converse(websocket, operations, origin))


def _acknowledgement(origin: Origin) -> str:
    """What greets a client; one that acts as somebody else is told so, as an answer's header would."""
    claim = origin.claim
    marked = "" if claim.by is None else f',"payload":{{"impersonation":"{claim.session_id}"}}'
    return f'{{"type":"connection_ack"{marked}}}'


def _closing(error: Exception) -> _Close:
    """How a socket closes for an error. Clients connect again after 1013 and 4403, and not after 4429 and 4500."""
    told = client_error(error)
    return _Close({429: 4429, 500: 4500, 503: 1013}.get(told.status, 4403), told.detail)


async def _converse(websocket: WebSocket, operations: Operations, origin: Origin) -> None:
    while True:
        match await _receive_from_whom_we_serve(websocket, operations):
            case _Init():
                raise _Close(4429, "Too many initialisation requests")
            case _Subscribe() as message:
                if message.id in operations:
                    raise _Close(4409, f"Subscriber for {message.id} already exists")
                asked = replace(origin, now=datetime.now(UTC), request_id=str(new_id()))
                await operations.begin(message.id, message.payload, asked)
            case _Complete() as message:
                operations.cancel(message.id)
            case other:
                await _answer_ping(other, websocket)


async def _receive_from_whom_we_serve(websocket: WebSocket, operations: Operations) -> _Message:
    """The next message. Closes a socket on which nothing runs and nothing is said for long."""
    while True:
        try:
            async with asyncio.timeout(_IDLE_SECONDS):
                return await _receive(websocket)
        except TimeoutError:
            if not operations.are_running:
                raise _Close(4408, "Idle; connect again when there is something to ask") from None


async def _greet(websocket: WebSocket, edge: Edge) -> Origin:
    """Wait for `connection_init`; answers with whom the socket belongs to."""
    try:
        async with asyncio.timeout(_INIT_SECONDS):
            given = await _credentials(websocket)
    except TimeoutError:
        raise _Close(4408, "Connection initialisation timeout") from None
    origin = await edge.origin(
        websocket, request_id=str(new_id()), authorization=given.authorization, tenant=given.tenant
    )
    await edge.limiter.draw((), origin)
    return origin


async def _credentials(websocket: WebSocket) -> _Credentials:
    while not isinstance(message := await _receive(websocket), _Init):
        if isinstance(message, _Subscribe):
            raise _Close(4401, "Unauthorized")
        await _answer_ping(message, websocket)
    return message.payload or _Credentials()


async def _receive(websocket: WebSocket) -> _Message:
    event = await websocket.receive()
    if event["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(event.get("code", 1005))
    text = event.get("text")
    if text is None:
        raise _Close(4400, "Messages are text")
    if len(text) > LARGEST_MESSAGE:
        raise _Close(1009, f"Messages have at most {LARGEST_MESSAGE} characters")
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise _Close(4400, f"Invalid message: {error}") from None


async def _answer_ping(message: _Message, websocket: WebSocket) -> None:
    if isinstance(message, _Ping):
        await websocket.send_text(_json(_Pong(message.payload)))


class _Outlet:
    """Writes the protocol's messages about operations."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket

    async def next(self, operation_id: str, result: str) -> None:
        """One result."""
        await self._websocket.send_text(_frame(operation_id, "next", result))

    def straight(self, operation_id: str) -> Push | None:
        """Sends elements at once, where the server lets one write straight to its socket."""
        if (extension := self._websocket.scope["extensions"].get(STRAIGHT)) is None:
            return None
        write = extension["write"]
        # A line break, which JSON writes as something else, stands for the element.
        head, tail = _frame(operation_id, "next", "\n").encode().split(b"\n")
        return lambda elements: bool(write([(head, element, tail) for element in elements]))

    async def fail(self, operation_id: str, error: AppError, origin: Origin) -> None:
        """Why it has ended, or never began."""
        errors = _json(request_errors(error, origin.request_id))
        await self._websocket.send_text(_frame(operation_id, "error", errors))

    async def complete(self, operation_id: str) -> None:
        """It has ended."""
        await self._websocket.send_text(f'{{"id":{_json(operation_id)},"type":"complete"}}')


def _frame(operation_id: str, kind: str, payload: str) -> str:
    return f'{{"id":{_json(operation_id)},"type":"{kind}","payload":{payload}}}'


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

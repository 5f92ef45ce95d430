"""GraphQL over a WebSocket: the `graphql-transport-ws` protocol.

Messages and close codes are those of https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected

from muster.kit.caller import Claim, Origin, anyone
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.errors import request_errors
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest, Operation
from muster.kit.endpoints.places import Places
from muster.kit.endpoints.problem import client_error
from muster.kit.errors import AppError, TooMany
from muster.kit.ids import new_id
from muster.kit.metrics import SOCKETS
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.stream import Waiting

PROTOCOL = "graphql-transport-ws"
"""The one subprotocol that is spoken here."""
LARGEST_MESSAGE = 65_536
"""Characters; give the server the same limit in bytes, so that more is never held."""

_INIT_SECONDS = 10.0
_IDLE_SECONDS = 300.0
_MOST_OPERATIONS = 100
# RFC 6455, 5.5: a control frame holds 125 bytes, of which the close code takes two.
_LONGEST_REASON = 123

_GONE = (WebSocketDisconnect, WebSocketDisconnected)

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
    with SOCKETS.track_inprogress(), suppress(*_GONE):
        if PROTOCOL not in websocket.scope["subprotocols"]:
            await websocket.accept()
            await websocket.close(4406, "Subprotocol not acceptable")
            return
        await websocket.accept(PROTOCOL)
        operations = _Operations(websocket, graphql, hub)
        try:
            await _serve(websocket, operations, hub, edge, places)
        except _Close as closing:
            await operations.stop()
            await websocket.close(closing.code, closing.reason)
        finally:
            await operations.stop()


class _Guest:
    """Whoever a socket belongs to, while they may be here."""

    allow = anyone
    permission = None

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self._refusal: asyncio.Future[AppError] = asyncio.get_running_loop().create_future()

    def end(self, error: AppError) -> None:
        """Let them go, for this reason."""
        if not self._refusal.done():
            self._refusal.set_result(error)

    async def while_welcome(self, conversation: Coroutine[None, None, None]) -> None:
        """Hold a conversation. Raises the AppError for which they have to go."""
        talking = asyncio.create_task(conversation)
        try:
            await asyncio.wait((talking, self._refusal), return_when=asyncio.FIRST_COMPLETED)
        finally:
            talking.cancel()
            await asyncio.wait((talking,))
        if talking.cancelled():
            raise self._refusal.result()
        talking.result()


async def _serve(websocket: WebSocket, operations: "_Operations", hub: Hub, edge: Edge, places: Places) -> None:
    """Greet whoever comes, and converse until one side closes or they may not be here any more."""
    try:
        with places.one():
            origin = await _greet(websocket, edge)
            with places.of(origin.claim):
                await _welcome(websocket, operations, hub, origin)
    except (_Close, *_GONE):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the socket closes with what may be told of it
        raise _closing(error) from None


async def _welcome(websocket: WebSocket, operations: "_Operations", hub: Hub, origin: Origin) -> None:
    guest = _Guest(origin.claim)
    async with hub.present(guest):
        await websocket.send_text('{"type":"connection_ack"}')
        await guest.while_welcome(_converse(websocket, operations, origin))


def _closing(error: Exception) -> _Close:
    """How a socket closes for an error. Clients connect again after 1013 and 4403, and not after 4429 and 4500."""
    told = client_error(error)
    return _Close({429: 4429, 500: 4500, 503: 1013}.get(told.status, 4403), told.detail)


async def _converse(websocket: WebSocket, operations: "_Operations", origin: Origin) -> None:
    while True:
        match await _receive_from_whom_we_serve(websocket, operations):
            case _Init():
                raise _Close(4429, "Too many initialisation requests")
            case _Subscribe() as message:
                await operations.start(message, replace(origin, now=datetime.now(UTC), request_id=str(new_id())))
            case _Complete() as message:
                operations.cancel(message.id)
            case other:
                await _answer_ping(other, websocket)


async def _receive_from_whom_we_serve(websocket: WebSocket, operations: "_Operations") -> _Message:
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
    return await edge.origin(
        websocket, request_id=str(new_id()), authorization=given.authorization, tenant=given.tenant
    )


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


class _Operations:
    """The operations that run on one socket, each a task of its own, by the ids that the client gave them."""

    def __init__(self, websocket: WebSocket, graphql: GraphQL, hub: Hub) -> None:
        self._websocket = websocket
        self._graphql = graphql
        self._hub = hub
        self._running: dict[str, asyncio.Task[None]] = {}
        self._canceled: set[asyncio.Task[None]] = set()
        self._waiting = Waiting()

    @property
    def are_running(self) -> bool:
        """Whether any operation runs."""
        return bool(self._running)

    async def start(self, message: _Subscribe, origin: Origin) -> None:
        """Run one more operation. Closes the socket when the id is in use; refuses when there are too many."""
        if message.id in self._running:
            raise _Close(4409, f"Subscriber for {message.id} already exists")
        if len(self._running) >= _MOST_OPERATIONS:
            full = TooMany(f"At most {_MOST_OPERATIONS} operations run on one socket; complete one of them first.")
            await self._websocket.send_text(_error(message.id, full, origin))
            return
        self._running[message.id] = asyncio.create_task(self._run(message, origin))

    def cancel(self, operation_id: str) -> None:
        """Stop an operation; nothing happens when it has ended already."""
        task = self._running.pop(operation_id, None)
        if task is not None:
            self._canceled.add(task)
            task.add_done_callback(self._canceled.discard)
            task.cancel()

    async def stop(self) -> None:
        """Stop every operation, and wait until they have."""
        for operation_id in list(self._running):
            self.cancel(operation_id)
        await asyncio.gather(*self._canceled, return_exceptions=True)

    async def _run(self, message: _Subscribe, origin: Origin) -> None:
        with structlog.contextvars.bound_contextvars(request_id=origin.request_id), suppress(*_GONE):
            last = await self._perform(message, origin)
            # Before the last message: once the client has read that, it may use the id again.
            self._running.pop(message.id, None)
            await self._websocket.send_text(last)

    async def _perform(self, message: _Subscribe, origin: Origin) -> str:
        """Send every result of an operation; answers with the message that ends it."""
        try:
            operation = self._graphql.read(message.payload)
            async with aclosing(self._results(operation, origin)) as results:
                async for result in results:
                    await self._websocket.send_text(_frame(message.id, "next", result))
        except _GONE:
            raise
        except Exception as error:  # noqa: BLE001 - every failure is told to the client in GraphQL's own form
            return _error(message.id, client_error(error), origin)
        return f'{{"id":{_json(message.id)},"type":"complete"}}'

    async def _results(self, operation: Operation, origin: Origin) -> AsyncGenerator[str]:
        """The one result of a query or mutation; the elements of a subscription, until its stream ends by an error."""
        if operation.kind != "subscription":
            yield (await self._graphql.run(operation, origin)).decode()
            return
        async with self._hub.open(self._graphql.stream(operation, origin), origin, self._waiting) as stream:
            async for element in stream:
                yield element


def _frame(operation_id: str, kind: str, payload: str) -> str:
    return f'{{"id":{_json(operation_id)},"type":"{kind}","payload":{payload}}}'


def _error(operation_id: str, error: AppError, origin: Origin) -> str:
    return _frame(operation_id, "error", _json(request_errors(error, origin.request_id)))


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

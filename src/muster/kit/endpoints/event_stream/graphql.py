"""GraphQL over server-sent events: the `graphql-sse` protocol, in both of its modes.

Its messages are those of https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md. In distinct connections mode
an operation has an answer of its own. In single connection mode a client reserves one stream, and then sends operations
by themselves, whose results come through it.
"""

from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from muster.kit.caller import Origin
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.event_stream.line import EventStream, Line
from muster.kit.endpoints.event_stream.reservations import Reservations
from muster.kit.endpoints.graphql.errors import request_errors
from muster.kit.endpoints.graphql.execution import GraphQL, Operation
from muster.kit.endpoints.places import Places
from muster.kit.endpoints.problem import client_error
from muster.kit.errors import AppError, BadInput
from muster.kit.metrics import SOCKETS
from muster.kit.realtime.hub import Hub

TOKEN_HEADER = "x-graphql-event-stream-token"  # noqa: S105 - the name of a header
"""Carries the token of a reserved stream."""
OPERATION_ID = "operationId"
"""What names an operation of a reserved stream, in its extensions and in the address that stops it."""
_LONGEST_ID = 128


class GraphQLEvents:
    """Serves GraphQL over event streams."""

    def __init__(self, graphql: GraphQL, hub: Hub, edge: Edge, places: Places) -> None:
        self._graphql, self._hub, self._edge, self._places = graphql, hub, edge, places
        self._reservations = Reservations(graphql, hub, places)

    async def answer(self, request: Request, operation: Operation | AppError, origin: Origin) -> Response:
        """Answer one operation by a stream of its own. Raises what keeps the client from having a stream at all."""
        self._edge.cookies.refuse_foreign_page(request)
        if isinstance(operation, AppError):
            await self._edge.limiter.draw((), origin)
        line = Line()

        async def talk() -> None:
            try:
                if isinstance(operation, AppError):
                    raise operation
                await self._results(line, operation, origin, request.headers.get("last-event-id"))
            except Exception as error:  # noqa: BLE001 - every failure is told to the client in GraphQL's own form
                errors = request_errors(client_error(error), origin.request_id)
                await line.tell("next", msgspec.json.encode({"errors": errors}).decode())
            await line.tell("complete", "")

        async with AsyncExitStack() as held:
            held.enter_context(self._places.one())
            held.enter_context(self._places.of(origin.claim))
            held.enter_context(SOCKETS.track_inprogress())
            return EventStream(talk, line, held.pop_all())

    async def _results(self, line: Line, operation: Operation, origin: Origin, last: str | None) -> None:
        """Tell every result. last: the cursor with which a browser comes back to a subscription."""
        if operation.kind != "subscription":
            await line.tell("next", (await self._graphql.run(operation, origin)).decode())
            return
        asked = await self._graphql.stream(operation, origin)
        async with self._hub.open(asked if last is None else replace(asked, after=last), origin) as stream:
            await line.write(f"id: {stream.cursor}\n\n")
            async for element in stream:
                await line.tell("next", element.decode(), cursor=stream.cursor)

    async def reserve(self, origin: Origin) -> Response:
        """Reserve a stream, and answer with its token. Raises what keeps the client from having one."""
        token = await self._reservations.make(origin.claim)
        return PlainTextResponse(token, 201, {"cache-control": "private, no-store"})

    def connect(self, request: Request, token: str, origin: Origin) -> Response:
        """Answer by the stream that was reserved. Raises NoSuchStream, StreamTaken."""
        self._edge.cookies.refuse_foreign_page(request)
        return self._reservations.find(token, origin.claim).answer()

    def run(self, token: str, operation: Operation, origin: Origin) -> Response:
        """Run an operation whose results come through a reserved stream. Raises AppError."""
        operation_id = (operation.extensions or {}).get(OPERATION_ID)
        if not isinstance(operation_id, str) or not 0 < len(operation_id) <= _LONGEST_ID:
            raise BadInput.field(
                f"extensions.{OPERATION_ID}", f"must be a text of 1 to {_LONGEST_ID} characters, new for each operation"
            )
        self._reservations.find(token, origin.claim).start(operation_id, operation, origin)
        return Response(status_code=202)

    def stop(self, token: str, operation_id: str, origin: Origin) -> Response:
        """Stop an operation of a reserved stream; nothing happens when it has ended already. Raises NoSuchStream."""
        self._reservations.find(token, origin.claim).cancel(operation_id)
        return Response(status_code=200)

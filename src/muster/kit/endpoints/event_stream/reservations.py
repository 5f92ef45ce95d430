"""Reservations: streams of the single connection mode, each for whoever made it, from the token to the end."""

import asyncio
import secrets
from contextlib import AsyncExitStack

import msgspec

from muster.kit.caller import Claim, Origin
from muster.kit.endpoints.conversation import Guest, Operations
from muster.kit.endpoints.event_stream.line import EventStream, Line
from muster.kit.endpoints.graphql.errors import request_errors
from muster.kit.endpoints.graphql.execution import GraphQL, Operation
from muster.kit.endpoints.places import Places
from muster.kit.errors import AppError, Conflict, NotFound
from muster.kit.metrics import SOCKETS
from muster.kit.realtime.hub import Hub

_CONNECT_SECONDS = 10.0
"""For how long a reservation waits for its client."""


class NoSuchStream(NotFound):
    """There is no such event stream, or it is not yours; reserve one by PUT."""

    code = "EVENT_STREAM_NOT_FOUND"


class StreamTaken(Conflict):
    """This event stream is open already; reserve another one by PUT."""

    code = "EVENT_STREAM_TAKEN"


class OperationRunning(Conflict):
    """An operation with this id runs already; give each an id of its own."""

    code = "OPERATION_ID_IN_USE"


class Reservation:
    """One stream, reserved or open."""

    def __init__(self, claim: Claim, graphql: GraphQL, hub: Hub) -> None:
        self.claim = claim
        self._line = Line()
        self._operations = Operations(graphql, hub, _Outlet(self._line))
        self._taken, self._left, self._over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def answer(self) -> EventStream:
        """The answer that the results come through. Raises StreamTaken for a second one."""
        if self._taken.is_set():
            raise StreamTaken
        self._taken.set()
        held = AsyncExitStack()
        held.callback(self._left.set)
        return EventStream(self._over.wait, self._line, held)

    def start(self, operation_id: str, operation: Operation, origin: Origin) -> None:
        """Run one more operation. Raises OperationRunning, TooMany."""
        if operation_id in self._operations:
            raise OperationRunning
        self._operations.start(operation_id, operation, origin)

    def cancel(self, operation_id: str) -> None:
        """Stop an operation; nothing happens when it has ended already."""
        self._operations.cancel(operation_id)

    async def until_left(self) -> None:
        """Wait until the client has left, or did not come in time."""
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await self._taken.wait()
        except TimeoutError:
            return
        await self._left.wait()

    async def end(self) -> None:
        """End its operations and its answer."""
        await self._operations.stop()
        self._over.set()


class Reservations:
    """The streams of one process, by their tokens."""

    def __init__(self, graphql: GraphQL, hub: Hub, places: Places) -> None:
        self._graphql, self._hub, self._places = graphql, hub, places
        self._by_token: dict[str, Reservation] = {}
        self._keepers: set[asyncio.Task[None]] = set()

    async def make(self, claim: Claim) -> str:
        """Reserve a stream for somebody; answers with its token.

        Raises TenantNotFound or Unauthenticated for who may not be here, TooMany or Unavailable for want of a place.
        """
        token = secrets.token_urlsafe(24)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        keeper = asyncio.create_task(self._keep(token, Reservation(claim, self._graphql, self._hub), ready))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        await ready
        return token

    def find(self, token: str, claim: Claim) -> Reservation:
        """The stream of a token. Raises NoSuchStream for one of somebody else, too."""
        found = self._by_token.get(token)
        if found is None or found.claim != claim:
            raise NoSuchStream
        return found

    async def _keep(self, token: str, reservation: Reservation, ready: asyncio.Future[None]) -> None:
        """Have a stream from its reservation on until its client leaves, or may not be here any more."""
        guest = Guest(reservation.claim)
        try:
            with self._places.one(), self._places.of(guest.claim), SOCKETS.track_inprogress():
                async with self._hub.present(guest):
                    self._by_token[token] = reservation
                    ready.set_result(None)
                    await guest.while_welcome(reservation.until_left())
        except Exception as error:
            if not ready.done():
                ready.set_exception(error)
            # Else they have to go: their next reservation is told why.
            elif not isinstance(error, AppError):
                raise
        finally:
            self._by_token.pop(token, None)
            await reservation.end()


class _Outlet:
    """Writes the protocol's events about operations."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def next(self, operation_id: str, result: str) -> None:
        """One result."""
        await self._line.tell("next", f'{{"id":{_json(operation_id)},"payload":{result}}}')

    async def fail(self, operation_id: str, error: AppError, origin: Origin) -> None:
        """Why it has ended."""
        await self.next(operation_id, _json({"errors": request_errors(error, origin.request_id)}))
        await self.complete(operation_id)

    async def complete(self, operation_id: str) -> None:
        """It has ended."""
        await self._line.tell("complete", f'{{"id":{_json(operation_id)}}}')


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()

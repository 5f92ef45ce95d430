"""Conversations: what sockets and event streams have in common. Operations run side by side under ids of the client's,
and all end when whoever they belong to may not be here any more.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Protocol

import structlog
from starlette.websockets import WebSocketDisconnect, WebSocketDisconnected

from muster.kit.caller import Claim, Origin, anyone
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest, Operation
from muster.kit.endpoints.problem import client_error
from muster.kit.errors import AppError, TooMany
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.stream import Push, Waiting

GONE = (WebSocketDisconnect, WebSocketDisconnected)
"""What a socket raises when its client has left."""

Straight = Callable[[str], Push | None]
"""How elements of the operation with an id are sent at once; None where they cannot be."""

_MOST_OPERATIONS = 100


class Guest:
    """Whoever a conversation belongs to, while they may be here."""

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


class Outlet(Protocol):
    """Where a client hears of its operations, by their ids."""

    async def next(self, operation_id: str, result: str) -> None:
        """Tell one result, a whole response of GraphQL."""

    async def fail(self, operation_id: str, error: AppError, origin: Origin) -> None:
        """Tell why an operation has ended before its time, or never began."""

    async def complete(self, operation_id: str) -> None:
        """Tell that an operation has ended."""


class Operations:
    """The operations that run for one client, each a task of its own, by the ids that the client gave them."""

    def __init__(self, graphql: GraphQL, hub: Hub, outlet: Outlet, straight: Straight = lambda _: None) -> None:
        """straight: past the outlet, whose every layer costs more than the element itself."""
        self._graphql = graphql
        self._hub = hub
        self._outlet = outlet
        self._straight = straight
        self._running: dict[str, asyncio.Task[None]] = {}
        self._canceled: set[asyncio.Task[None]] = set()
        self._waiting = Waiting()

    @property
    def are_running(self) -> bool:
        """Whether any operation runs."""
        return bool(self._running)

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._running

    async def begin(self, operation_id: str, request: GraphQLRequest, origin: Origin) -> None:
        """Read an operation, whose id is not in use, and run it; what keeps it from running is told."""
        try:
            self.start(operation_id, self._graphql.read(request), origin)
        except Exception as error:  # noqa: BLE001 - every failure is told to the client in GraphQL's own form
            await self._outlet.fail(operation_id, client_error(error), origin)

    def start(self, operation_id: str, operation: Operation, origin: Origin) -> None:
        """Run one more operation, whose id is not in use. Raises TooMany."""
        if len(self._running) >= _MOST_OPERATIONS:
            raise TooMany(f"At most {_MOST_OPERATIONS} operations run here at once; complete one of them first.")
        self._running[operation_id] = asyncio.create_task(self._run(operation_id, operation, origin))

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

    async def _run(self, operation_id: str, operation: Operation, origin: Origin) -> None:
        with structlog.contextvars.bound_contextvars(request_id=origin.request_id), suppress(*GONE):
            failure = await self._perform(operation_id, operation, origin)
            # Before the last message: once the client has read that, it may use the id again.
            self._running.pop(operation_id, None)
            if failure is None:
                await self._outlet.complete(operation_id)
            else:
                await self._outlet.fail(operation_id, failure, origin)

    async def _perform(self, operation_id: str, operation: Operation, origin: Origin) -> AppError | None:
        """Tell every result of an operation; answers with why it ended before its time, if it did."""
        try:
            async with aclosing(self._results(operation, origin, self._push(operation_id))) as results:
                async for result in results:
                    await self._outlet.next(operation_id, result)
        except GONE:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            return client_error(error)
        return None

    def _push(self, operation_id: str) -> Push | None:
        push, task = self._straight(operation_id), asyncio.current_task()
        if push is None:
            return None
        # Nothing comes under an id that its client has completed, though its task may not have ended yet.
        return lambda elements: self._running.get(operation_id) is task and push(elements)

    async def _results(self, operation: Operation, origin: Origin, push: Push | None) -> AsyncGenerator[str]:
        """The one result of a query or mutation; the elements of a subscription, until its stream ends by an error."""
        if operation.kind != "subscription":
            yield (await self._graphql.run(operation, origin)).decode()
            return
        wanted = await self._graphql.stream(operation, origin)
        async with self._hub.open(wanted, origin, self._waiting, push) as stream:
            async for element in stream:
                yield element.decode()

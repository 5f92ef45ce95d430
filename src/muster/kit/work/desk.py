"""The desk: whose job goes on when more are under way than there are connections for.

A job of a tenant with little under way does not wait behind those that another tenant has piled up in this worker:
the place that is free next goes to the tenant with the fewest at the desk. Equals take turns.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Desk:
    """The desk of one worker."""

    def __init__(self, places: int) -> None:
        """places: how many jobs are served at a time."""
        self._free = places
        self._served: Counter[UUID] = Counter()
        # Tenants in the order of their turns.
        self._waiting: OrderedDict[UUID, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def place(self, tenant_id: UUID) -> AsyncIterator[None]:
        """A place for a job of a tenant, waited for where none is free."""
        if self._free:
            self._seat(tenant_id)
        else:
            await self._wait(tenant_id)
        try:
            yield
        finally:
            self._leave(tenant_id)

    async def _wait(self, tenant_id: UUID) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                # It was called just before it gave up.
                self._leave(tenant_id)
            raise

    def _seat(self, tenant_id: UUID) -> None:
        self._free -= 1
        self._served[tenant_id] += 1

    def _leave(self, tenant_id: UUID) -> None:
        self._free += 1
        self._served[tenant_id] -= 1
        if not self._served[tenant_id]:
            del self._served[tenant_id]
        self._call()

    def _call(self) -> None:
        """Give a free place to whoever is next; those who gave up have gone."""
        while self._waiting:
            tenant_id = min(self._waiting, key=lambda each: self._served[each])
            turn = self._waiting[tenant_id].popleft()
            if self._waiting[tenant_id]:
                self._waiting.move_to_end(tenant_id)
            else:
                del self._waiting[tenant_id]
            if not turn.done():
                self._seat(tenant_id)
                turn.set_result(None)
                return

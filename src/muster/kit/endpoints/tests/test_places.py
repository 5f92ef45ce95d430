"""Only so many sockets are open, in all, of one tenant and of one person; and each gives its place back."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

from muster.kit.endpoints.tests.sites import Site, opened
from muster.kit.realtime.tests.support import Community
from muster.settings import Sockets

PERSON_FULL = (4429, "You have 2 sockets open; close one of them first.")
TENANT_FULL = (1013, "This community has no place for another socket; try again in a moment.")
PROCESS_FULL = (1013, "This server has no place for another socket; try again in a moment.")


async def _refusal(site: Site, authorization: str | None = None) -> tuple[int, str]:
    """How a socket that has no place is closed, at once or when it says whose it is."""
    async with site.socket() as client:
        if authorization is not None:
            await client.send(type="connection_init", payload={"authorization": authorization})
        return await client.closed()


async def test_a_person_a_tenant_and_a_process_have_only_so_many_places(town: Community) -> None:
    settings = replace(town.services.settings, sockets=Sockets(per_process=4, per_tenant=3, per_person=2))
    limited = replace(town, services=replace(town.services, settings=settings))
    owner, guest = await town.person("Owner"), await town.person("Guest")
    async with opened(limited) as site, AsyncExitStack() as stack:
        await stack.enter_async_context(site.client(owner))
        async with site.client(owner):
            assert await _refusal(site, site.token(owner)) == PERSON_FULL
            await stack.enter_async_context(site.client(guest))
            assert await _refusal(site, site.token(guest)) == TENANT_FULL
            # Whoever has not said who they are takes a place too.
            await stack.enter_async_context(site.socket())
            assert await _refusal(site) == PROCESS_FULL
        await _gone(site, 3)
        async with site.client(owner):
            assert await _refusal(site) == PROCESS_FULL


async def _gone(site: Site, left: int) -> None:
    """Wait until the server has noticed that only so many are left."""
    async with asyncio.timeout(10):
        while len(site.server.server_state.tasks) > left:  # noqa: ASYNC110 - uvicorn keeps sets, not events
            await asyncio.sleep(0.005)

"""What tests of GraphQL share: one town, served on a socket."""

from collections.abc import AsyncIterator

import pytest_asyncio

from muster.kit.db.migrate import Urls
from muster.testing.serving import serving
from muster.testing.town import Town, settle


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_urls: Urls) -> AsyncIterator[Town]:
    """A town that the tests of a module share."""
    async with serving(module_urls) as service:
        yield await settle(service)

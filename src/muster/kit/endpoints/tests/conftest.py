"""Communities that the tests of endpoints share."""

from collections.abc import AsyncIterator

import pytest

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.tests.sites import Site, opened
from muster.kit.realtime.tests.support import Community, community


@pytest.fixture
async def town(urls: Urls) -> AsyncIterator[Community]:
    """The default community on a fresh database."""
    async with community(urls) as found:
        yield found


@pytest.fixture
async def site(town: Community) -> AsyncIterator[Site]:
    """The community behind a server on a free port."""
    async with opened(town) as site:
        yield site

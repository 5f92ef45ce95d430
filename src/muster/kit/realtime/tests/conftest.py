"""A community with its streams."""

from collections.abc import AsyncIterator

import pytest

from muster.kit.db.migrate import Urls
from muster.kit.realtime.tests.support import Community, community


@pytest.fixture
async def town(urls: Urls) -> AsyncIterator[Community]:
    """The default community on a fresh database."""
    async with community(urls) as opened:
        yield opened

"""The tools that the tests of this folder share."""

from pathlib import Path

import pytest

from tests.clients.tools import Tools, Unreachable, fetch


@pytest.fixture(scope="session")
def tools(pytestconfig: pytest.Config) -> Tools:
    """Node.js, the client libraries and the generators. Without them and without a network the test is skipped."""
    assert pytestconfig.cache is not None
    cache: Path = pytestconfig.cache.mkdir("clients")
    try:
        return fetch(cache)
    except Unreachable as error:
        pytest.skip(f"what the clients need is not here and cannot be fetched: {error}")

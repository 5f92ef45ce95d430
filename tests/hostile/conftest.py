"""What tests of hostile input share: a town to attack, and the proof after each attack that nothing came of it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import structlog

from muster.testing.below import snapshot
from muster.testing.town import Town


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    """One town for all the tests of a module, served on a socket."""
    return module_town


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def nothing_half_done(town: Town) -> AsyncIterator[None]:
    """No row changes but the audit's, nothing is logged that looks like a fault of ours, and the service goes on."""
    before = await snapshot(town.service.urls, without=("audit_rows",))
    with structlog.testing.capture_logs() as logs:
        yield
        assert (await town.service.http.get("/health/live")).status_code == 200
    assert [line for line in logs if line["log_level"] in ("error", "critical")] == []
    assert await snapshot(town.service.urls, without=("audit_rows",)) == before

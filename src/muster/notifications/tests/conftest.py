"""The town of these tests, in which nobody is told of teams."""

import pytest

from muster.testing.below import change
from muster.testing.town import Town

_OF_TEAMS = "delete from outbox using facts where facts.id = outbox.fact_id and facts.kind like 'team%'"
_FORGOTTEN = "delete from facts where kind like 'team%'"


@pytest.fixture
async def town(town: Town) -> Town:
    """A town whose people are told of events alone, so that a test knows all that there is to tell."""
    for forget in (_OF_TEAMS, _FORGOTTEN):
        await change(town.service.urls, forget)
    return town

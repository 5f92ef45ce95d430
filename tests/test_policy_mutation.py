"""No policy is idle: whichever is dropped or opened, the isolation probe notices."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from muster.kit.db.migrate import Urls
from muster.testing.isolation import Towns, open_world
from muster.testing.mutation import Mutant, mutants, noticed

# Parts that the workers of pytest-xdist share.
PARTS = 4


Clone = Callable[..., AbstractContextManager[Urls]]


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_changed_policy_is_noticed(part: int, clone: Clone, model_world: Towns) -> None:
    with clone() as sound:
        mine = (await mutants(sound))[part::PARTS]
    assert mine
    assert [mutant.name for mutant in mine if not await _is_noticed(mutant, clone, model_world)] == []


async def _is_noticed(mutant: Mutant, clone: Clone, model: Towns) -> bool:
    with clone(model.urls) as urls:
        async with open_world(urls, model) as world:
            return await noticed(world, mutant) is not None

"""No policy is idle: whichever is dropped or opened, the isolation probe notices."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from muster.kit.db.migrate import Urls
from muster.testing.isolation import Towns, World, open_world
from muster.testing.mutation import Mutant, mutants, noticed, unnoticed_by_rows
from muster.testing.needed import WRITTEN_BY_WORKER
from muster.testing.work import drain

# Parts that the workers of pytest-xdist share.
PARTS = 2


Clone = Callable[..., AbstractContextManager[Urls]]


async def test_every_changed_policy_that_keeps_tenants_apart_is_noticed_in_the_rows(world: World) -> None:
    every = [mutant for mutant in await mutants(world.service.urls) if not mutant.crosses]
    before_work = [mutant for mutant in every if mutant.table not in WRITTEN_BY_WORKER]
    assert before_work
    assert await unnoticed_by_rows(world, before_work) == []
    await drain(world.service.urls)
    assert await unnoticed_by_rows(world, [mutant for mutant in every if mutant.table in WRITTEN_BY_WORKER]) == []


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_dropped_policy_that_crosses_tenants_is_noticed(
    part: int, clone: Clone, model_world: Towns
) -> None:
    with clone() as sound:
        mine = [mutant for mutant in await mutants(sound) if mutant.crosses][part::PARTS]
    assert mine
    assert [mutant.name for mutant in mine if not await _is_noticed(mutant, clone, model_world)] == []


async def _is_noticed(mutant: Mutant, clone: Clone, model: Towns) -> bool:
    with clone(model.urls) as urls:
        async with open_world(urls, model) as world:
            return await noticed(world, mutant) is not None

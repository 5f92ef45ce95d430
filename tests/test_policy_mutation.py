"""No policy is idle: whichever is dropped or opened, the isolation probe notices."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from muster.kit.db.migrate import Urls
from muster.testing.mutation import mutants, noticed

# Parts that the workers of pytest-xdist share.
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
async def test_every_changed_policy_is_noticed(part: int, clone: Callable[[], AbstractContextManager[Urls]]) -> None:
    with clone() as sound:
        mine = (await mutants(sound))[part::PARTS]
    survivors = []
    for mutant in mine:
        with clone() as urls:
            if await noticed(urls, mutant) is None:
                survivors.append(mutant.name)
    assert mine
    assert survivors == []

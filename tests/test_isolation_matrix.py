"""Isolation: nobody reads, changes or detects the rows of a tenant that is not theirs, by any declared endpoint."""

from muster.kit.db.migrate import Urls
from muster.testing.isolation import open_world, useless, violations
from muster.testing.serving import serving_in_process


async def test_no_endpoint_lets_one_tenant_reach_or_detect_another(urls: Urls) -> None:
    async with serving_in_process(urls) as service, open_world(service) as world:
        assert await violations(world) == []


async def test_every_row_of_the_matrix_is_a_call_that_works_where_it_may(urls: Urls) -> None:
    async with serving_in_process(urls) as service, open_world(service) as world:
        assert await useless(world) == []

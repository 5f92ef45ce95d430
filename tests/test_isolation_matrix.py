"""Isolation: nobody reads, changes or detects the rows of a tenant that is not theirs, by any declared endpoint."""

from muster.testing.isolation import World, useless, violations


async def test_no_endpoint_lets_one_tenant_reach_or_detect_another(world: World) -> None:
    assert [found async for found in violations(world)] == []


async def test_every_row_of_the_matrix_is_a_call_that_works_where_it_may(world: World) -> None:
    assert await useless(world) == []

"""Counts that are kept beforehand, made anew by an operator."""

from muster.cli.operator import operating
from muster.cli.output import JsonFlag, show
from muster.cli.tenants import SlugArgument
from muster.events.tallies.jobs import recount
from muster.events.tallies.queries import spread_of


async def recount_events(
    slug: SlugArgument,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Count anew how many events of a community stand where on the map, and which words their titles hold.

    The worker looks once a day whether that is needed; what is read meanwhile is right all the while.

    Example: muster tenant recount chess-club
    """
    async with operating("tenant recount", tenant=slug) as operator, operator.transaction() as ctx:
        await recount(ctx)
        spread = await spread_of(ctx)
    show({"events": spread.counted}, f"{spread.counted} events are to come and on the map.", as_json=as_json)

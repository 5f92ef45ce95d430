"""Work of profiles that is due now and then."""

from datetime import timedelta

from muster.kit.commands.context import Ctx
from muster.profiles import visits

# A digest is of one day, which is over then wherever it began.
_KEPT = timedelta(days=1)


async def forget_visits(ctx: Ctx) -> None:
    """Remove what is kept of visitors of public pages so that none is counted twice."""
    await visits.forget_visits(ctx, ctx.now - _KEPT)

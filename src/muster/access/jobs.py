"""Work of access that is due now and then."""

from muster.access import queries
from muster.access.facts import ImpersonationEnded
from muster.kit.commands.context import Ctx


async def end_overdue(ctx: Ctx) -> None:
    """Say that impersonations are over whose time is, or whose member of the staff has signed out."""
    for ended in await queries.end_overdue(ctx):
        ctx.record(ImpersonationEnded(impersonation_id=ended.id, user_id=ended.user_id))

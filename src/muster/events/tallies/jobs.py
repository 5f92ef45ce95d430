"""What keeps the tallies: changes are folded in every few seconds, and looked after once a day."""

import structlog

from muster.events.tallies import queries
from muster.kit.commands.context import Ctx

log = structlog.get_logger()


async def fold(ctx: Ctx) -> None:
    """Take in what was changed of a community's events. Two workers may do so at once: the tally's row lets one in."""
    await queries.lock_tally(ctx)
    await queries.fold_changes(ctx)


async def recount(ctx: Ctx) -> None:
    """Count a community's events anew. What is read meanwhile, and what is written, is right all the while.

    Of a large community this begins it, and the worker folds the rest in.
    """
    await queries.lock_tally(ctx)
    await queries.note_anew(ctx)
    await queries.fold_changes(ctx)


async def check(ctx: Ctx) -> None:
    """Fold, so that reads need not look for what ended since, and count anew where the tallies are wrong."""
    await fold(ctx)
    spread = await queries.spread_of(ctx)
    if spread.counted != spread.there:
        log.error("tallies.wrong", tenant_id=str(ctx.tenant_id), counted=spread.counted, there=spread.there)
        await recount(ctx)

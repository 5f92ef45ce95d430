"""Work of identity that is due now and then."""

from datetime import timedelta

from muster.identity import queries
from muster.identity.devices import queries as devices
from muster.identity.queries import email as email_queries
from muster.identity.queries import factors as factor_queries
from muster.kit.commands.context import Ctx

# Long enough for a refused token to be explained, short enough not to keep a history of devices.
_KEPT_AFTER_EXPIRY = timedelta(days=7)


async def forget_expired(ctx: Ctx) -> None:
    """Remove the sessions, links, devices that ask, challenges and changes of address that expired more than a week ago."""
    await queries.forget_sessions(ctx, ctx.now - _KEPT_AFTER_EXPIRY)
    await queries.forget_links(ctx, ctx.now - _KEPT_AFTER_EXPIRY)
    await devices.forget_requests(ctx, ctx.now - _KEPT_AFTER_EXPIRY)
    await email_queries.forget_changes(ctx, ctx.now - _KEPT_AFTER_EXPIRY)
    await factor_queries.forget_challenges(ctx, ctx.now - _KEPT_AFTER_EXPIRY)

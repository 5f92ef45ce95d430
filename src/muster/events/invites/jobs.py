"""Work of invitations that is due now and then."""

from datetime import timedelta

from muster.events.invites import invited
from muster.kit.commands.context import Ctx

KEPT = timedelta(days=30)
"""How long an invitation stays here after it was answered, or its event was over."""


async def forget_invitations(ctx: Ctx) -> None:
    """Remove a tenant's invitations that ended long ago, and with them addresses of people with no account."""
    await invited.forget_invitations(ctx, ctx.now - KEPT)

"""Removing a second factor: it stands here, since a community may ask that its members keep one."""

from uuid import UUID

from muster.identity.commands import PasskeyNotFound, drop_totp, forget_factor, is_last
from muster.identity.queries import factors as factor_queries
from muster.identity.queries.factors import Factors
from muster.identity.rules import Method
from muster.kit.caller import signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict
from muster.kit.limits import API, AUTH
from muster.tenancy import queries


class LastFactor(Conflict):
    """A community of yours asks for a second factor, and this is your last; add another first, or leave it."""

    code = "LAST_FACTOR"


@command("DELETE /auth/totp", "removeTotp", allow=signed_in, limit=AUTH, step_up=True)
async def remove_totp(ctx: Ctx) -> None:
    """Remove the authenticator app; without another second factor, the backup codes go with it.

    Raises TotpNotFound, LastFactor.
    """
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if factors.totp_since is not None:
        await _refuse_last(ctx, factors)
    await drop_totp(ctx, factors)


@command("DELETE /auth/passkeys/{id}", "removePasskey", allow=signed_in, limit=API, step_up=True)
async def remove_passkey(ctx: Ctx, *, id: UUID) -> None:
    """Remove a passkey: it opens nothing any more. The browser or device keeps its half; remove that there.

    Raises PasskeyNotFound, LastFactor.
    """
    # The lock: of two who remove the last two factors the second sees that one is left.
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if not await factor_queries.drop_passkey(ctx, id):
        raise PasskeyNotFound
    await _refuse_last(ctx, factors)
    await forget_factor(ctx, factors, Method.PASSKEY)


async def _refuse_last(ctx: Ctx, factors: Factors) -> None:
    if is_last(factors) and await queries.needs_factor(ctx, ctx.user_id):
        raise LastFactor

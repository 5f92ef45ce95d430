"""Showing once more who one is, before what must not fall to whoever finds an open laptop."""

from datetime import datetime

from muster.identity import queries
from muster.identity.commands.passwords import (
    AccountRests,
    Attempt,
    GivenPassword,
    WrongPassword,
    attempt,
    count_attempt,
)
from muster.identity.rules import PROOF_LASTS
from muster.kit.caller import Claim, signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Unauthenticated
from muster.kit.limits import AUTH
from muster.kit.views.results import Payload


class Proof(Payload):
    """That this session is its person's.

    expires_at: until when what asks for a proof takes this one.
    """

    replayable = True

    expires_at: datetime


async def prove(ctx: Ctx) -> Proof:
    """Note that the person of the session at hand has shown who they are."""
    if ctx.session_id is None:
        raise Unauthenticated
    await queries.prove_session(ctx, ctx.session_id)
    return Proof(expires_at=ctx.now + PROOF_LASTS)


async def try_password(services: Services, claim: Claim, password: str) -> Attempt:
    """Compare a password with that of the person who asks."""
    if claim.user_id is None:
        raise Unauthenticated
    async with services.database.transaction(claim.tenant_id) as tx:
        account = await queries.credentials_of(tx, claim.user_id)
    return await attempt(account, password)


async def _try(services: Services, claim: Claim, *, password: str) -> Attempt:
    return await try_password(services, claim, password)


@command("POST /auth/step-up", "stepUp", allow=signed_in, limit=AUTH, prepare=_try)
async def step_up(ctx: Ctx, *, password: GivenPassword, prepared: Attempt) -> Proof:
    """Show once more who you are, for what asks for a proof of the last 10 minutes.

    Signing in with a password is such a proof, too. Raises WrongPassword, AccountRests.
    """
    right = await count_attempt(ctx, prepared)
    if right is None:
        raise AccountRests
    if not right:
        raise WrongPassword.field("password", "is not your present password", "WRONG_PASSWORD")
    return await prove(ctx)

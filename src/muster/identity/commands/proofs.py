"""Showing once more who one is, before what must not fall to whoever finds an open laptop."""

from datetime import datetime

from muster.identity import queries
from muster.identity.commands.codes import Code, check_code
from muster.identity.commands.mfa import refuse_unless_one
from muster.identity.commands.passkeys import PasskeyAnswer, PasskeyChallenge, answered, begin, load
from muster.identity.commands.passwords import (
    AccountRests,
    Attempt,
    GivenPassword,
    WrongPassword,
    attempt,
    count_attempt,
)
from muster.identity.rules import PROOF_LASTS
from muster.identity.tables import ChallengePurpose
from muster.kit.caller import Claim, signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Unauthenticated
from muster.kit.limits import API, AUTH
from muster.kit.views.results import Payload


class Proof(Payload):
    """That this session is its person's.

    expires_at: until when what asks for a proof takes this one.
    """

    replayable = True

    expires_at: datetime


@command("POST /auth/step-up/challenge", "challengeStepUp", allow=signed_in, limit=API, in_person=True, prepare=load)
async def challenge_step_up(ctx: Ctx, *, prepared: None) -> PasskeyChallenge:
    """Begin to show by passkey who you are: what the browser is to ask, for `navigator.credentials.get`."""
    return await begin(ctx, ChallengePurpose.STEP_UP, user_id=ctx.user_id)


async def _try(
    services: Services, claim: Claim, *, password: str | None, code: str | None, passkey: PasskeyAnswer | None
) -> Attempt | None:
    """The try of a password, compared with no connection in hand. Raises Invalid."""
    refuse_unless_one(password=password, code=code, passkey=passkey)
    if passkey is not None:
        await load(services, claim)
    if password is None:
        return None
    if claim.user_id is None:
        raise Unauthenticated
    async with services.database.transaction(claim.tenant_id) as tx:
        account = await queries.credentials_of(tx, claim.user_id)
    return await attempt(account, password)


@command("POST /auth/step-up", "stepUp", allow=signed_in, limit=AUTH, prepare=_try)
async def step_up(
    ctx: Ctx,
    *,
    password: GivenPassword | None = None,
    code: Code | None = None,
    passkey: PasskeyAnswer | None = None,
    prepared: Attempt | None,
) -> Proof:
    """Show once more who you are, for what asks for a proof of the last 10 minutes: by password, code or passkey.

    Signing in with one of these is such a proof, too. passkey: its answer to `challengeStepUp`.
    Raises WrongPassword, AccountRests, WrongCode, CodesRest, ChallengeInvalid, PasskeyRefused.
    """
    if prepared is not None:
        await _check_password(ctx, prepared)
    elif code is not None:
        await check_code(ctx, ctx.user_id, code)
    elif passkey is not None:
        await answered(ctx, ChallengePurpose.STEP_UP, passkey, by=ctx.user_id)
    return await prove(ctx)


async def _check_password(ctx: Ctx, tried: Attempt) -> None:
    right = await count_attempt(ctx, tried)
    if right is None:
        raise AccountRests
    if not right:
        raise WrongPassword.field("password", "is not your present password", "WRONG_PASSWORD")


async def prove(ctx: Ctx) -> Proof:
    """Note that the person of the session at hand has shown who they are."""
    if ctx.session_id is None:
        raise Unauthenticated
    await queries.prove_session(ctx, ctx.session_id)
    return Proof(expires_at=ctx.now + PROOF_LASTS)

"""A proof by signing in again with a provider, for who has no password, app or passkey here."""

from datetime import timedelta

from muster.identity.commands.proofs import Proof, prove
from muster.identity.external import queries
from muster.identity.external.coming import Came, ProviderNotFound, SignInRefused, WayOut, come_back, set_out
from muster.identity.external.commands import GivenCode, GivenState, GivenTicket, OwnPath, ProviderName
from muster.identity.rules import PROOF_LASTS
from muster.kit.caller import Claim, signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Denied, Unauthenticated
from muster.kit.limits import API, AUTH

_LEEWAY = timedelta(minutes=1)


class ProviderSignInTooOld(Denied):
    """The provider does not say that you have just signed in there; begin anew, and sign in when it asks you to."""

    code = "PROVIDER_SIGN_IN_TOO_OLD"


async def _set_out(services: Services, claim: Claim, *, provider: str, return_to: str) -> WayOut:
    if claim.user_id is None:
        raise Unauthenticated
    found = services.settings.vouchers.providers.get(provider)
    if found is not None and found.is_github:
        raise ProviderNotFound(
            "GitHub does not say when you signed in, so it proves nothing; show who you are another way."
        )
    return await set_out(services, provider, user_id=claim.user_id, return_to=return_to, proves=True)


@command(
    "POST /auth/providers/{provider}/step-up",
    "beginProviderStepUp",
    allow=signed_in,
    limit=API,
    in_person=True,
    prepare=_set_out,
)
async def begin_provider_step_up(
    ctx: Ctx, *, provider: ProviderName, return_to: OwnPath = "/", prepared: WayOut
) -> WayOut:
    """Go to a provider that is linked to one's account, to sign in there once more. `finishProviderStepUp` is for the way
    back.

    Raises ProviderNotFound, Invalid.
    """
    return prepared


async def _come_back(services: Services, claim: Claim, *, ticket: str, code: str, state: str) -> Came:
    if claim.user_id is None:
        raise Unauthenticated
    return await come_back(services, user_id=claim.user_id, ticket=ticket, code=code, state=state, proves=True)


@command("POST /auth/step-up/provider", "finishProviderStepUp", allow=signed_in, limit=AUTH, prepare=_come_back)
async def finish_provider_step_up(
    ctx: Ctx, *, ticket: GivenTicket, code: GivenCode, state: GivenState, prepared: Came
) -> Proof:
    """Show who you are by having signed in with a provider within the last 10 minutes, for what asks for a proof.

    ticket: from `beginProviderStepUp`. Raises SignInExpired, SignInRefused, ProviderSignInTooOld.
    """
    known = await queries.known(ctx, prepared.vouched)
    if known is None or known.user_id != ctx.user_id:
        raise SignInRefused
    at = prepared.vouched.signed_in_at
    if at is None or not ctx.now - PROOF_LASTS < at < ctx.now + _LEEWAY:
        raise ProviderSignInTooOld
    return await prove(ctx)

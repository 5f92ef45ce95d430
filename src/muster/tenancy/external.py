"""Signing in with a provider: into the account that is linked, or into a new one and the default community."""

import msgspec

from muster.identity.commands import Email, EmailTaken, Session, open_account, sign_in
from muster.identity.external import queries as identities
from muster.identity.external.coming import Came, come_back
from muster.identity.external.commands import GivenCode, GivenState, GivenTicket, MailNotVouched
from muster.kit.caller import Claim, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Conflict, Invalid
from muster.kit.limits import AUTH
from muster.kit.providers import Vouched
from muster.tenancy import queries

_LONGEST_NAME = 80


class AccountExists(Conflict):
    """There is an account with this mail; sign in to it another way, and link the provider there."""

    code = "ACCOUNT_EXISTS"


async def _come_back(
    services: Services, claim: Claim, *, ticket: str, code: str, state: str, accepted_terms: bool
) -> Came:
    return await come_back(services, user_id=None, ticket=ticket, code=code, state=state)


@command("POST /auth/providers", "finishSignIn", allow=whoever, limit=AUTH, prepare=_come_back)
async def finish_sign_in(
    ctx: Ctx, *, ticket: GivenTicket, code: GivenCode, state: GivenState, accepted_terms: bool = False, prepared: Came
) -> Session:
    """Sign in with the provider that one comes back from; who has no account gets one.

    An account with the same mail is not taken over: whoever opened it may be somebody else. ticket: from `beginSignIn`.
    accepted_terms: those at `TERMS_URL`, which who gets an account has to have accepted where a deployment has any.
    Raises SignInExpired, SignInRefused, MailNotVouched, AccountExists, Invalid; MfaRequired where the account has a
    second factor, WrongCredentials where it was disabled.
    """
    known = await identities.known(ctx, prepared.vouched)
    terms = ctx.settings.addresses.terms
    if known is None and terms is not None and not accepted_terms:
        raise Invalid.field("acceptedTerms", f"accept the terms at {terms}", "REQUIRED")
    if known is None:
        known = await put_account(
            ctx, prepared.vouched, provider=prepared.ticket.provider, accepted_terms=accepted_terms
        )
    else:
        await identities.use_identity(ctx, known, prepared.vouched)
    return await sign_in(ctx, known.user_id)


async def put_account(ctx: Ctx, vouched: Vouched, *, provider: str, accepted_terms: bool) -> identities.Known:
    """The account of somebody who has none yet, with a place in the default community.

    Raises MailNotVouched, AccountExists.
    """
    if not vouched.is_verified or not _is_mail(vouched.email):
        raise MailNotVouched
    try:
        user_id = await open_account(
            ctx, name=_name(vouched), email=vouched.email, verified=True, accepted_terms=accepted_terms
        )
    except EmailTaken:
        # Perhaps it was they themselves, in another tab: the unique mail lets one open an account, and this one waited.
        known = await identities.known(ctx, vouched)
        if known is None:
            raise AccountExists from None
        return known
    await ctx.enter(await queries.default_tenant(ctx))
    await queries.put_member(ctx, user_id=user_id, role="participant")
    put = await identities.put_identity(ctx, vouched, provider=provider, user_id=user_id)
    if put is None:
        raise AccountExists
    return put


def _is_mail(text: str) -> bool:
    try:
        msgspec.convert(text, Email)
    except msgspec.ValidationError:
        return False
    return True


def _name(vouched: Vouched) -> str:
    """What the provider calls them, or the first part of their mail."""
    return vouched.name.strip()[:_LONGEST_NAME].strip() or vouched.email.partition("@")[0][:_LONGEST_NAME]

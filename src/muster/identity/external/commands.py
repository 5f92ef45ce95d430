"""The verbs around identities elsewhere; signing in with one is in `tenancy`, since it may open an account."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.identity import facts
from muster.identity.external import queries
from muster.identity.external.coming import Came, WayOut, come_back, set_out
from muster.identity.external.views import ExternalIdentityView
from muster.kit.caller import Claim, verified, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Conflict, Denied, NotFound, Unauthenticated
from muster.kit.limits import API, AUTH

ProviderName = Annotated[
    str, Meta(min_length=1, max_length=20, examples=["google"], description="As the settings of this service name it.")
]
OwnPath = Annotated[
    str, Meta(max_length=500, examples=["/events"], description="Where the person wants to be afterwards: a path.")
]
GivenTicket = Annotated[
    str, Meta(max_length=2000, examples=["eyJpZCI6.kq3v"], description="As it was given when the person left.")
]
GivenCode = Annotated[str, Meta(max_length=2000, examples=["SplxlOBeZQQYbYS6WxSbIA"], description="Of the provider.")]
GivenState = Annotated[str, Meta(max_length=200, examples=["af0ifjsldkj"], description="As the provider sent it back.")]


class MailNotVouched(Denied):
    """The provider does not say that your mail address is yours; verify it there, and begin anew."""

    code = "PROVIDER_MAIL_NOT_VERIFIED"


class IdentityTaken(Conflict):
    """This identity belongs to another account here; sign in with it, and unlink it there first."""

    code = "IDENTITY_TAKEN"


class IdentityNotFound(NotFound):
    """You have no such identity."""

    code = "IDENTITY_NOT_FOUND"


class LastWayIn(Conflict):
    """You could not sign in any more but by mail; set a password, add a passkey or link another provider first."""

    code = "LAST_WAY_IN"


async def _set_out(services: Services, claim: Claim, *, provider: str, return_to: str) -> WayOut:
    return await set_out(services, provider, user_id=None, return_to=return_to)


@command("POST /auth/providers/{provider}", "beginSignIn", allow=whoever, limit=AUTH, prepare=_set_out)
async def begin_sign_in(ctx: Ctx, *, provider: ProviderName, return_to: OwnPath = "/", prepared: WayOut) -> WayOut:
    """Go to a provider to sign in with it. `finishSignIn` is for the way back, which leads to
    `<APP_URL>/sign-in/<provider>/callback`.

    Raises ProviderNotFound, Invalid.
    """
    return prepared


async def _set_out_to_link(services: Services, claim: Claim, *, provider: str, return_to: str) -> WayOut:
    if claim.user_id is None:
        raise Unauthenticated
    return await set_out(services, provider, user_id=claim.user_id, return_to=return_to)


@command(
    "POST /auth/providers/{provider}/link",
    "beginLink",
    allow=verified,
    limit=API,
    step_up=True,
    prepare=_set_out_to_link,
)
async def begin_link(ctx: Ctx, *, provider: ProviderName, return_to: OwnPath = "/", prepared: WayOut) -> WayOut:
    """Go to a provider to link it to one's account. `linkIdentity` is for the way back.

    Raises ProviderNotFound, Invalid.
    """
    return prepared


async def _come_back(services: Services, claim: Claim, *, ticket: str, code: str, state: str) -> Came:
    if claim.user_id is None:
        raise Unauthenticated
    return await come_back(services, user_id=claim.user_id, ticket=ticket, code=code, state=state)


@command("POST /auth/identities", "linkIdentity", allow=verified, limit=API, in_person=True, prepare=_come_back)
async def link_identity(
    ctx: Ctx, *, ticket: GivenTicket, code: GivenCode, state: GivenState, prepared: Came
) -> ExternalIdentityView:
    """Link the provider that one comes back from, and can sign in with from then on. Its word on the mail has to be
    that it is verified; it need not be the account's.

    ticket: from `beginLink`. Raises SignInExpired, SignInRefused, MailNotVouched, IdentityTaken.
    """
    vouched = prepared.vouched
    if not vouched.is_verified or not vouched.email:
        raise MailNotVouched
    put = await queries.put_identity(ctx, vouched, provider=prepared.ticket.provider, user_id=ctx.user_id)
    found = put or await queries.known(ctx, vouched)
    if found is None or found.user_id != ctx.user_id:
        raise IdentityTaken
    if put is not None:
        label = ctx.settings.vouchers.providers[prepared.ticket.provider].label
        ctx.record(facts.IdentityLinked(user_id=ctx.user_id, identity_id=found.id, provider=label))
    return ExternalIdentityView.ref(found.id)


@command("DELETE /auth/identities/{id}", "unlinkIdentity", allow=verified, limit=API, step_up=True)
async def unlink_identity(ctx: Ctx, *, id: UUID) -> None:
    """Unlink a provider: one cannot sign in with it any more.

    Raises IdentityNotFound, LastWayIn.
    """
    await queries.lock_ways_in(ctx, ctx.user_id)
    ways = await queries.ways_in(ctx, ctx.user_id)
    if not await queries.remove_identity(ctx, id, user_id=ctx.user_id):
        raise IdentityNotFound
    if ways < 2:
        raise LastWayIn
    ctx.record(facts.IdentityUnlinked(user_id=ctx.user_id, identity_id=id))

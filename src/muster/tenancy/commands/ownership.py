"""Hand a community over: the owner offers, another member accepts. There is exactly one owner at every moment."""

from uuid import UUID

from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Invalid, NotFound
from muster.kit.limits import API
from muster.tenancy import queries, rules
from muster.tenancy.facts import OwnershipDeclined, OwnershipOffered, OwnershipTransferred, OwnershipWithdrawn
from muster.tenancy.queries import Offer
from muster.tenancy.views import OwnershipOfferView, TenantView

TENANT_TRANSFER = Permission("tenant:transfer")


class NoOffer(NotFound):
    """Nobody offers you this community; the offer was taken back, or is over."""

    code = "OFFER_NOT_FOUND"


class TooManyTenants(Conflict):
    """Nobody owns so many communities here; hand one over, or delete it."""

    code = "TOO_MANY_TENANTS"


@command(
    "POST /tenant/ownership-offer",
    "offerOwnership",
    allow=member,
    permission=TENANT_TRANSFER,
    limit=API,
    step_up=True,
    answers=(201,),
)
async def offer(ctx: Ctx, *, user_id: UUID) -> OwnershipOfferView:
    """Offer the community to another member, in place of any offer before. It is theirs once they accept, in 7 days.

    user_id: an active member with a verified mail. Raises Invalid.
    """
    await queries.lock_tenant(ctx, ctx.tenant_id)
    if user_id == ctx.user_id or not await queries.is_candidate(ctx, user_id):
        raise Invalid.field("userId", "must be another active member, with a verified mail address")
    offer_id = await queries.put_offer(ctx, user_id, ctx.now + rules.OFFER_LIFETIME)
    ctx.record(OwnershipOffered(tenant_id=ctx.tenant_id, user_id=user_id))
    return OwnershipOfferView.ref(offer_id, created=True)


@command(
    "DELETE /tenant/ownership-offer", "withdrawOwnershipOffer", allow=member, permission=TENANT_TRANSFER, limit=API
)
async def withdraw(ctx: Ctx) -> None:
    """Take the offer back. Without one, nothing happens."""
    await queries.lock_tenant(ctx, ctx.tenant_id)
    found = await queries.find_offer(ctx)
    if found is not None and await queries.forget_offer(ctx):
        ctx.record(OwnershipWithdrawn(tenant_id=ctx.tenant_id, user_id=found.user_id))


@command("DELETE /tenant/ownership-offer/mine", "declineOwnership", allow=member, limit=API)
async def decline(ctx: Ctx) -> None:
    """Say no to owning the community.

    Raises NoOffer.
    """
    await _lock_offer(ctx)
    await queries.forget_offer(ctx)
    ctx.record(OwnershipDeclined(tenant_id=ctx.tenant_id, user_id=ctx.user_id))


@command("POST /tenant/ownership", "acceptOwnership", allow=member, limit=API, step_up=True)
async def accept(ctx: Ctx) -> TenantView:
    """Become the owner of the community that one is offered. Who was it becomes an admin.

    Raises NoOffer, TooManyTenants.
    """
    await _lock_offer(ctx)
    await refuse_too_many(ctx)
    old_owner_id = await queries.find_owner(ctx)
    if old_owner_id is None or not await queries.is_candidate(ctx, ctx.user_id):
        raise NoOffer
    await queries.hand_over(ctx, old_owner_id=old_owner_id, new_owner_id=ctx.user_id)
    await queries.forget_offer(ctx)
    ctx.record(OwnershipTransferred(tenant_id=ctx.tenant_id, user_id=ctx.user_id, old_owner_id=old_owner_id))
    return TenantView.ref(ctx.tenant_id)


async def refuse_too_many(ctx: Ctx) -> None:
    """Raise TooManyTenants when the acting person owns as many communities as one may. Under their lock."""
    if await queries.number_owned(ctx, ctx.user_id) >= ctx.settings.communities.per_person:
        raise TooManyTenants


async def _lock_offer(ctx: Ctx) -> Offer:
    """The offer to the acting person, with the tenant's lock: of accepting, declining and taking back only one happens."""
    await queries.lock_tenant(ctx, ctx.tenant_id)
    found = await queries.find_offer(ctx)
    if found is None or found.user_id != ctx.user_id or found.expires_at <= ctx.now:
        raise NoOffer
    return found

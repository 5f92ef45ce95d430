"""The verbs of service accounts: made, renamed and removed, and given keys, by who manages the community's keys.

Their role is one of a member like any other: `changeMemberRole` changes it, `suspendMember` pauses them.
"""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.access.keys.commands import CreateApiKeyInput, NewApiKey, make_key
from muster.access.keys.facts import ApiKeyRevoked
from muster.access.roles import KEY_MANAGE
from muster.access.services import queries
from muster.access.services.queries import ServiceAccount
from muster.access.services.views import ServiceAccountView
from muster.identity.services import open_service, rename_service
from muster.kit.arguments import Input
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.errors import Conflict, NotFound
from muster.kit.limits import API
from muster.tenancy.granting import check_grant, check_rank
from muster.tenancy.queries import lock_seats, put_gone, revoke_invitations_of
from muster.tenancy.tables import MemberStatus

MOST = 100
"""Service accounts of one community at a time."""


class ServiceAccountFact(Fact):
    """Base of what happens to a service account. user_id: the account, as it stands beside what it does."""

    kind: ClassVar[str] = "service"
    about: ClassVar[str] = "member_id"
    member_id: UUID
    user_id: UUID


class ServiceAccountCreated(ServiceAccountFact):
    """Somebody made a service account."""

    kind: ClassVar[str] = "service.created"
    role: str


class ServiceAccountRemoved(ServiceAccountFact):
    """A service account is over, and its keys with it."""

    kind: ClassVar[str] = "service.removed"


class ServiceAccountNotFound(NotFound):
    """This community has no such service account."""

    code = "SERVICE_ACCOUNT_NOT_FOUND"


class TooManyServiceAccounts(Conflict):
    """A community has at most 100 service accounts; remove one that does nothing any more."""

    code = "TOO_MANY_SERVICE_ACCOUNTS"


Name = Annotated[
    str,
    Meta(min_length=1, max_length=60, pattern=r"\S", examples=["Calendar import"], description="As people read it."),
]


class CreateServiceAccountInput(Input):
    """A program of the community. role: what it may do at most; its keys may do less."""

    name: Name
    role: Annotated[str, Meta(min_length=1, max_length=60, examples=["participant"])] = "participant"


@command(
    "POST /service-accounts",
    "createServiceAccount",
    allow=member,
    permission=KEY_MANAGE,
    in_person=True,
    limit=API,
    answers=(201,),
)
async def create_service_account(ctx: Ctx, *, input: CreateServiceAccountInput) -> ServiceAccountView:
    """Make an account for a program of this community. Nobody signs in to it; give it API keys.

    It takes no seat. Its role must give no more than one's own.
    Raises Invalid, GrantsTooMuch, TooManyServiceAccounts.
    """
    # One at a time per community, so that two at once cannot both be the hundredth.
    await lock_seats(ctx)
    if await queries.count_services(ctx) >= MOST:
        raise TooManyServiceAccounts
    await check_grant(ctx, input.role, field="input.role")
    user_id = await open_service(ctx, input.name)
    member_id = await queries.put_service(ctx, user_id, input.role)
    ctx.record(ServiceAccountCreated(member_id=member_id, user_id=user_id, role=input.role))
    return ServiceAccountView.ref(member_id, created=True)


@command(
    "PATCH /service-accounts/{id}",
    "renameServiceAccount",
    allow=member,
    permission=KEY_MANAGE,
    in_person=True,
    limit=API,
)
async def rename_service_account(ctx: Ctx, *, id: UUID, name: Name) -> ServiceAccountView:
    """Call a service account something else, also beside what it did before.

    Raises ServiceAccountNotFound, OutranksYou.
    """
    account = await _lock(ctx, id)
    await rename_service(ctx.db, account.user_id, name)
    return ServiceAccountView.ref(id)


@command(
    "DELETE /service-accounts/{id}",
    "removeServiceAccount",
    allow=member,
    permission=KEY_MANAGE,
    in_person=True,
    limit=API,
)
async def remove_service_account(ctx: Ctx, *, id: UUID) -> None:
    """End a service account and all of its keys; what they have open is closed within a second. What it made stays.

    Raises ServiceAccountNotFound, OutranksYou.
    """
    account = await _lock(ctx, id)
    await put_gone(ctx, account.id, MemberStatus.REMOVED, note=None)
    await revoke_invitations_of(ctx, account.user_id)
    for key_id in await queries.revoke_keys(ctx, account.user_id):
        ctx.record(ApiKeyRevoked(key_id=key_id, user_id=account.user_id))
    ctx.record(ServiceAccountRemoved(member_id=id, user_id=account.user_id))


@command(
    "POST /service-accounts/{id}/keys",
    "createServiceKey",
    allow=member,
    permission=KEY_MANAGE,
    in_person=True,
    step_up=True,
    limit=API,
)
async def create_service_key(ctx: Ctx, *, id: UUID, input: CreateApiKeyInput) -> NewApiKey:
    """Make an API key of a service account. It may do what its scopes say, as long as the account's role gives it.

    Nobody gives it what they do not hold themselves.
    Raises ServiceAccountNotFound, OutranksYou, Invalid, GrantsTooMuch.
    """
    account = await _lock(ctx, id)
    of_role = await ctx.gives(ctx.db, account.role) or frozenset()
    return await make_key(ctx, input, holder_id=account.user_id, held=of_role & ctx.permissions)


async def _lock(ctx: Ctx, member_id: UUID) -> ServiceAccount:
    """A service account under its lock, of which one may decide: it does nothing that one may not do oneself."""
    account = await queries.lock_service(ctx, member_id)
    if account is None:
        raise ServiceAccountNotFound
    await check_rank(ctx, account.role)
    return account

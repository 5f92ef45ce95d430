"""The verbs of API keys: a member makes keys for programs, and ends them."""

from datetime import datetime
from ipaddress import ip_network
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.access.keys import queries
from muster.access.keys.facts import ApiKeyCreated, ApiKeyRevoked
from muster.access.keys.rules import SCOPES, KeyParts, hash_of, new_secret, written_key
from muster.access.keys.views import ApiKeyView
from muster.access.roles import KEY_CREATE, KEY_MANAGE
from muster.kit.arguments import Input, Instant
from muster.kit.caller import ACT, Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import FieldProblem, Invalid, NotFound
from muster.kit.ids import new_id
from muster.kit.limits import API
from muster.kit.views.results import Payload
from muster.tenancy.granting import GrantsTooMuch

_HINT = 4


class ApiKeyNotFound(NotFound):
    """There is no such API key, or it is somebody else's."""

    code = "API_KEY_NOT_FOUND"


Name = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S", examples=["Calendar of the club"])]
Scope = Annotated[str, Meta(max_length=60, examples=["event:create"])]
Network = Annotated[str, Meta(max_length=50, examples=["192.0.2.0/24"])]


class CreateApiKeyInput(Input):
    """What a new key is made for.

    name: what you call it. scopes: permissions that you hold yourself, and `self:act` for what needs none; without
    any it only reads. networks: addresses and networks it may be used from, such as 192.0.2.0/24; without any, anywhere.
    expires_at: when it ends; without it, never.
    """

    name: Name
    scopes: Annotated[list[Scope], Meta(max_length=100)] = []
    networks: Annotated[list[Network], Meta(max_length=50)] = []
    expires_at: Instant | None = None


class NewApiKey(Payload):
    """A key that was just made.

    secret: the whole key, for `Authorization: Bearer`. It is shown this once. api_key: what can be read of it later.
    """

    status: ClassVar[int] = 201
    secret: str
    api_key: ApiKeyView


@command("POST /me/keys", "createApiKey", allow=member, permission=KEY_CREATE, in_person=True, step_up=True, limit=API)
async def create_api_key(ctx: Ctx, *, input: CreateApiKeyInput) -> NewApiKey:
    """Make an API key of one's own. It may do in this community what its scopes say, as long as one may do it oneself.

    Raises Invalid, GrantsTooMuch for scopes that one does not hold.
    """
    return await make_key(ctx, input, holder_id=ctx.user_id, held=ctx.permissions)


async def make_key(ctx: Ctx, input: CreateApiKeyInput, *, holder_id: UUID, held: frozenset[Permission]) -> NewApiKey:
    """Make an API key of a member of the transaction's tenant. held: what it can be made for at most.

    Raises Invalid, GrantsTooMuch.
    """
    _check(ctx.now, input)
    scopes = sorted({Permission(each) for each in input.scopes})
    if missing := set(scopes) - held - {ACT}:
        raise GrantsTooMuch(details={"missing": sorted(missing)})
    parts = KeyParts(ctx.tenant_id, new_id(), new_secret())
    await queries.put_key(
        ctx,
        parts.key_id,
        user_id=holder_id,
        name=input.name,
        hash=hash_of(parts.secret),
        hint=parts.secret[-_HINT:],
        scopes=scopes,
        networks=[str(ip_network(each)) for each in input.networks],
        expires_at=input.expires_at,
    )
    ctx.record(ApiKeyCreated(key_id=parts.key_id, user_id=holder_id))
    return NewApiKey(secret=written_key(parts), api_key=ApiKeyView.ref(parts.key_id, created=True))


def _check(now: datetime, input: CreateApiKeyInput) -> None:
    problems = [
        FieldProblem(f"input.scopes[{at}]", "INVALID", "is nothing that a key can be made for")
        for at, each in enumerate(input.scopes)
        if each not in SCOPES
    ]
    for at, each in enumerate(input.networks):
        try:
            ip_network(each)
        except ValueError:
            problems.append(FieldProblem(f"input.networks[{at}]", "INVALID", "is no network such as 192.0.2.0/24"))
    if input.expires_at is not None and input.expires_at <= now:
        problems.append(FieldProblem("input.expiresAt", "INVALID", "must lie ahead"))
    if problems:
        raise Invalid(f"{problems[0].path}: {problems[0].message}", fields=tuple(problems))


@command("PATCH /keys/{id}", "renameApiKey", allow=member, permission=KEY_CREATE, in_person=True, limit=API)
async def rename_api_key(ctx: Ctx, *, id: UUID, name: Name) -> ApiKeyView:
    """Call an API key something else: one's own, or a service account's with `key:manage`.

    name: what you call it from now on. Raises ApiKeyNotFound.
    """
    holder = await queries.lock_key(ctx, id)
    if holder is None or not (holder.user_id == ctx.user_id or (holder.is_service and ctx.may(KEY_MANAGE))):
        raise ApiKeyNotFound
    await queries.rename_key(ctx, id, name)
    return ApiKeyView.ref(id)


@command("DELETE /keys/{id}", "revokeApiKey", allow=member, permission=KEY_CREATE, in_person=True, limit=API)
async def revoke_api_key(ctx: Ctx, *, id: UUID) -> None:
    """End an API key: its next request is refused, and its sockets are closed within a second. One's own, or anybody's
    with `key:manage`.

    Raises ApiKeyNotFound.
    """
    holder = await queries.lock_key(ctx, id)
    if holder is None or (holder.user_id != ctx.user_id and not ctx.may(KEY_MANAGE)):
        raise ApiKeyNotFound
    await queries.revoke_key(ctx, id)
    ctx.record(ApiKeyRevoked(key_id=id, user_id=holder.user_id))

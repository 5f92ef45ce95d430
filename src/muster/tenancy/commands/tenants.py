"""Founding a community."""

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.kit.arguments import Input
from muster.kit.caller import verified
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.errors import Conflict, Invalid
from muster.kit.limits import API
from muster.kit.text import as_id
from muster.tenancy import queries
from muster.tenancy.views import TenantView


class TenantCreated(Fact):
    """A community was founded."""

    kind: ClassVar[str] = "tenant.created"
    about: ClassVar[str] = "tenant_id"
    tenant_id: UUID
    owner_id: UUID


class SlugTaken(Conflict):
    """This slug is taken; choose another."""

    code = "SLUG_TAKEN"


class CreateTenantInput(Input):
    """What a new community needs.

    slug: small letters and digits, with single hyphens between. name: as people read it.
    allows_unverified: members may act before they have verified their mail.
    """

    slug: Annotated[
        str, Meta(min_length=2, max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["chess-club"])
    ]
    name: Annotated[str, Meta(min_length=2, max_length=60, examples=["Chess club"])]
    allows_unverified: bool = False


@command("POST /tenants", "createTenant", allow=verified, limit=API, answers=(201,))
async def create_tenant(ctx: Ctx, *, input: CreateTenantInput) -> TenantView:
    """Found a community and become its owner.

    Raises SlugTaken when another community has the slug, Invalid for one that reads as an id.
    """
    if as_id(input.slug) is not None:
        raise Invalid.field("input.slug", "must not look like an id, which X-Tenant takes too")
    tenant_id = await queries.put_tenant(
        ctx, slug=input.slug, name=input.name, allows_unverified=input.allows_unverified
    )
    if tenant_id is None:
        raise SlugTaken
    await ctx.enter(tenant_id)
    await queries.put_member(ctx, user_id=ctx.user_id, role="owner")
    ctx.record(TenantCreated(tenant_id=tenant_id, owner_id=ctx.user_id))
    return TenantView.ref(tenant_id, created=True)

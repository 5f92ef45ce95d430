"""Communities, made and listed by an operator."""

from typing import Annotated

from cyclopts import Parameter

from muster.cli.operator import operating
from muster.cli.output import JsonFlag, show, show_list
from muster.identity.commands import normal_email
from muster.identity.queries import user_by_email
from muster.kit.arguments import read_struct
from muster.kit.processes import CannotRun
from muster.tenancy import commands as tenancy
from muster.tenancy.queries import list_tenants as all_tenants
from muster.tenancy.rules import Deed

SlugArgument = Annotated[str, Parameter(help="Its slug; `muster tenant list` shows all.")]


async def create_tenant(
    slug: Annotated[str, Parameter(help="Its name in addresses and in the header X-Tenant.")],
    name: Annotated[str, Parameter(help="Its name for people.")],
    *,
    owner: Annotated[str, Parameter(help="The mail of the account that is to own it.")],
    as_json: JsonFlag = False,
) -> None:
    """Found a community for somebody, who becomes its owner.

    Example: muster tenant create chess-club "Chess club" --owner ada@example.org
    """
    wanted = read_struct({"slug": slug, "name": name}, tenancy.CreateTenantInput)
    async with operating("tenant create") as operator, operator.transaction() as ctx:
        user_id = await user_by_email(ctx, normal_email(owner))
        if user_id is None:
            raise CannotRun(f"Nobody has the mail {owner}: `muster user create` makes an account.")
        ctx.act_as(user_id)
        made = await tenancy.create_tenant(ctx, input=wanted)
    show(
        {"id": made.row_id, "slug": slug, "ownerId": user_id},
        f"Community {slug} is there: {made.row_id}.",
        as_json=as_json,
    )


async def suspend_tenant(
    slug: SlugArgument,
    *,
    reason: Annotated[str, Parameter(help="Why; its owner is told, and its members see it.")],
    as_json: JsonFlag = False,
) -> None:
    """Close a community to everybody, until it is resumed; what they have open ends within a second.

    Example: muster tenant suspend chess-club --reason "Unpaid since March"
    """
    await _move("tenant suspend", slug, Deed.SUSPEND, reason)
    show({"slug": slug, "status": "SUSPENDED"}, f"Community {slug} is closed.", as_json=as_json)


async def resume_tenant(slug: SlugArgument, *, as_json: JsonFlag = False) -> None:
    """Open a suspended community again.

    Example: muster tenant resume chess-club
    """
    await _move("tenant resume", slug, Deed.RESUME)
    show({"slug": slug, "status": "ACTIVE"}, f"Community {slug} is open again.", as_json=as_json)


async def delete_tenant(slug: SlugArgument, *, as_json: JsonFlag = False) -> None:
    """Close a community, and erase it in 30 days unless its owner restores it.

    Example: muster tenant delete chess-club
    """
    async with operating("tenant delete", tenant=slug) as operator, operator.transaction() as ctx:
        await tenancy.begin_deletion(ctx, ctx.tenant_id)
    show({"slug": slug, "status": "DELETING"}, f"Community {slug} is closed, and gone in 30 days.", as_json=as_json)


async def _move(verb: str, slug: str, deed: Deed, reason: str | None = None) -> None:
    async with operating(verb, tenant=slug) as operator, operator.transaction() as ctx:
        await tenancy.move(ctx, ctx.tenant_id, deed, reason)


async def limit_tenant(
    slug: SlugArgument,
    members: Annotated[
        int | None, Parameter(help="How many members it may have; without a number, any number.")
    ] = None,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Say how many members a community may have. Who is in stays in; nobody comes while there are as many or more.

    Example: muster tenant limit chess-club 200
    """
    if members is not None and not 1 <= members <= 1_000_000_000:
        raise CannotRun("The number of members is from 1 to 1000000000.")
    async with operating("tenant limit", tenant=slug) as operator, operator.transaction() as ctx:
        taken = await tenancy.limit_members(ctx, members)
    most = "any number of" if members is None else f"at most {members}"
    show(
        {"slug": slug, "members": taken, "maxMembers": members},
        f"Community {slug} may have {most} members; it has {taken}.",
        as_json=as_json,
    )


async def list_tenants(*, as_json: JsonFlag = False) -> None:
    """List all communities.

    Example: muster tenant list
    """
    async with operating("tenant list") as operator, operator.transaction() as ctx:
        found = await all_tenants(ctx)
    show_list(found, as_json=as_json)

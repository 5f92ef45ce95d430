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


async def list_tenants(*, as_json: JsonFlag = False) -> None:
    """List all communities.

    Example: muster tenant list
    """
    async with operating("tenant list") as operator, operator.transaction() as ctx:
        found = await all_tenants(ctx)
    show_list(found, as_json=as_json)

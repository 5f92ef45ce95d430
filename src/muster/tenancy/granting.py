"""Who may give which role: nobody gives what they do not hold, nor touches who holds more than they do."""

from collections.abc import Collection
from uuid import UUID

from muster.kit.caller import Permission
from muster.kit.commands.context import Ctx
from muster.kit.errors import Denied, Invalid
from muster.tenancy import queries

_HANDED_OVER = {"owner", "staff"}
# The owner hands their role over, and the platform's staff is named at its command line.


class GrantsTooMuch(Denied):
    """This role gives more than you hold yourself; give one that does not, or ask somebody who holds it."""

    code = "GRANTS_TOO_MUCH"


class OutranksYou(Denied):
    """This member holds more than you do; ask somebody who holds as much."""

    code = "OUTRANKS_YOU"


async def check_grant(ctx: Ctx, role: str, *, held: Collection[Permission] | None = None, field: str = "role") -> None:
    """Make sure that a role may be given to somebody, and that it is there until the transaction ends.

    held: what the giver may do; None is who acts. field: where the role stands in the input.
    Raises Invalid for a role that there is not or that is not given in this way, GrantsTooMuch.
    """
    given = None if role in _HANDED_OVER else await ctx.gives(ctx.db, role)
    if given is None:
        raise Invalid.field(field, "is no role that can be given here; GET /access/roles lists those")
    if missing := given.difference(ctx.permissions if held is None else held):
        raise GrantsTooMuch(details={"missing": sorted(missing)})


async def check_rank(ctx: Ctx, role: str) -> None:
    """Make sure that who acts holds whatever a member with this role does: else they change, suspend and remove nobody of it.

    Raises OutranksYou.
    """
    given = await ctx.gives(ctx.db, role) or frozenset()
    if missing := given - ctx.permissions:
        raise OutranksYou(details={"missing": sorted(missing)})


async def held_by(ctx: Ctx, user_id: UUID) -> frozenset[Permission]:
    """What somebody may do in the transaction's tenant by now; nothing for who is no active member of it."""
    role = await queries.find_role(ctx, user_id)
    return frozenset() if role is None else await ctx.gives(ctx.db, role) or frozenset()

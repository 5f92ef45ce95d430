"""SQL about how a member stands."""

from uuid import UUID

from sqlalchemy import bindparam, or_, select

from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement
from muster.tenancy.tables import CustomRole, Member, MemberStatus, Tenant


class MemberStanding(Row):
    """How a member stands, and what their role is made of where the community made it.

    verified: their mail is, or the community does not ask, or they are a program.
    """

    role: str
    status: MemberStatus
    verified: bool
    base: str | None
    additions: list[str] | None
    removals: list[str] | None


_STANDING = Statement(
    MemberStanding,
    select(
        Member.role,
        Member.status,
        or_(User.verified_at.is_not(None), Tenant.allows_unverified, Member.is_service).label("verified"),
        CustomRole.base,
        CustomRole.additions,
        CustomRole.removals,
    )
    .join(User, User.id == Member.user_id)
    .join(Tenant, Tenant.id == Member.tenant_id)
    .outerjoin(CustomRole, CustomRole.slug == Member.custom_role)
    .where(
        Member.user_id == bindparam("person"),
        Member.status.in_((MemberStatus.ACTIVE, MemberStatus.SUSPENDED)),
    ),
)


async def find_standing(ctx: Ctx, user_id: UUID) -> MemberStanding | None:
    """How somebody stands in the transaction's tenant; None for who is not in it."""
    return await ctx.db.one(_STANDING, person=user_id)

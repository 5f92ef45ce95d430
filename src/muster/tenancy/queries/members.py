"""SQL about who belongs to a community."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, insertion
from muster.kit.ids import new_id
from muster.tenancy.tables import Member, MemberStatus


class MemberId(Row):
    """Which person a member is."""

    user_id: UUID


class MemberRole(Row):
    """What a member is."""

    role: str


class MemberLine(Row):
    """A member in a list for operators."""

    id: UUID
    name: str
    email: str
    role: str
    status: MemberStatus
    joined_at: datetime


_MEMBERS = Statement(
    MemberLine,
    select(User.id, User.name, User.email, Member.role, Member.status, Member.joined_at)
    .join(Member, Member.user_id == User.id)
    .order_by(Member.joined_at, User.name),
)
_ACTIVE = select(Member.user_id).where(Member.status == MemberStatus.ACTIVE)
_OWNER = Statement(MemberId, _ACTIVE.where(Member.role == "owner").order_by(Member.joined_at, Member.id).limit(1))
_MEMBER_BY_EMAIL = Statement(
    MemberId, _ACTIVE.join(User, User.id == Member.user_id).where(User.email == bindparam("mail"))
)
_ROLE = Statement(
    MemberRole,
    select(Member.role).where(Member.user_id == bindparam("person"), Member.status == MemberStatus.ACTIVE),
)
_PUT_MEMBER = insertion(Nothing, Member, "tenant_id", "id", "user_id", "role", "status", "joined_at")


async def put_member(ctx: Ctx, *, user_id: UUID, role: str) -> None:
    """Make a person an active member of the transaction's tenant."""
    await ctx.db.run(
        _PUT_MEMBER,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=user_id,
        role=role,
        status=MemberStatus.ACTIVE,
        joined_at=ctx.now,
    )


async def find_role(ctx: Ctx, user_id: UUID) -> str | None:
    """The role of an active member of the transaction's tenant; None for who is none."""
    found = await ctx.db.one(_ROLE, person=user_id)
    return None if found is None else found.role


async def find_owner(ctx: Ctx) -> UUID | None:
    """Who has owned the transaction's tenant for longest."""
    found = await ctx.db.one(_OWNER)
    return None if found is None else found.user_id


async def find_member(ctx: Ctx, email: str) -> UUID | None:
    """The active member of the transaction's tenant with a mail."""
    found = await ctx.db.one(_MEMBER_BY_EMAIL, mail=email)
    return None if found is None else found.user_id


async def list_members(ctx: Ctx) -> list[MemberLine]:
    """Everybody in the transaction's tenant, the first to join first."""
    return await ctx.db.all(_MEMBERS)

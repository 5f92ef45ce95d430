"""SQL that tenancy's commands and its callers need."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Database, Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.work import schedule
from muster.tenancy.tables import Member, MemberStatus, Tenant


class TenantId(Row):
    """The id of a community."""

    id: UUID


class MemberId(Row):
    """Which person a member is."""

    user_id: UUID


class TenantLine(Row):
    """A community in a list for operators."""

    id: UUID
    slug: str
    name: str
    created_at: datetime


class MemberLine(Row):
    """A member in a list for operators."""

    id: UUID
    name: str
    email: str
    role: str
    status: MemberStatus
    joined_at: datetime


_TENANTS = Statement(
    TenantLine,
    select(*columns(TenantLine, Tenant)).where(Tenant.id != PLATFORM_TENANT).order_by(Tenant.created_at, Tenant.slug),
)
EVERY_TENANT = Statement(schedule.TenantId, select(Tenant.id.label("tenant_id")))
"""The tenants, for what is due in each of them; the platform tenant is one."""
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
_DEFAULT_TENANT = Statement(TenantId, select(Tenant.id).where(Tenant.is_default))
_TENANT_BY_SLUG = Statement(TenantId, select(Tenant.id).where(Tenant.slug == bindparam("wanted")))

# Two people who want one slug at once: the unique constraint decides, and the loser gets no row.
_PUT_TENANT = Statement(
    TenantId,
    insert(Tenant).on_conflict_do_nothing(index_elements=["slug"]).returning(Tenant.id),
    insert_keys=("id", "slug", "name", "is_default", "allows_unverified", "created_at"),
)
_PUT_MEMBER = insertion(Nothing, Member, "tenant_id", "id", "user_id", "role", "status", "joined_at")


async def put_tenant(ctx: Ctx, *, slug: str, name: str, allows_unverified: bool) -> UUID | None:
    """Make a community; None when the slug is taken."""
    made = await ctx.db.one(
        _PUT_TENANT,
        id=new_id(),
        slug=slug,
        name=name,
        is_default=False,
        allows_unverified=allows_unverified,
        created_at=ctx.now,
    )
    return None if made is None else made.id


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


async def find_owner(ctx: Ctx) -> UUID | None:
    """Who has owned the transaction's tenant for longest."""
    found = await ctx.db.one(_OWNER)
    return None if found is None else found.user_id


async def find_member(ctx: Ctx, email: str) -> UUID | None:
    """The active member of the transaction's tenant with a mail."""
    found = await ctx.db.one(_MEMBER_BY_EMAIL, mail=email)
    return None if found is None else found.user_id


async def list_tenants(ctx: Ctx) -> list[TenantLine]:
    """Every community, the oldest first."""
    return await ctx.db.all(_TENANTS)


async def list_members(ctx: Ctx) -> list[MemberLine]:
    """Everybody in the transaction's tenant, the first to join first."""
    return await ctx.db.all(_MEMBERS)


async def default_tenant(ctx: Ctx) -> UUID:
    """The community that everybody who registers joins."""
    return await _default(ctx.db)


async def find_default_tenant(database: Database) -> UUID:
    """The same, outside a command."""
    async with database.transaction(PLATFORM_TENANT) as tx:
        return await _default(tx)


async def _default(tx: Transaction) -> UUID:
    found = await tx.one(_DEFAULT_TENANT)
    if found is None:
        raise LookupError("no tenant is the default; the migration makes one")
    return found.id


async def find_tenant(database: Database, slug: str) -> UUID | None:
    """The community with a slug."""
    async with database.transaction(PLATFORM_TENANT) as tx:
        found = await tx.one(_TENANT_BY_SLUG, wanted=slug)
    return None if found is None else found.id

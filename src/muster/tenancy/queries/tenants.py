"""SQL about communities themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from muster.kit.commands.context import Ctx
from muster.kit.db.database import Database, Transaction
from muster.kit.db.statements import Row, Statement, columns
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.work import schedule
from muster.tenancy.tables import Tenant


class TenantId(Row):
    """The id of a community."""

    id: UUID


class TenantLine(Row):
    """A community in a list for operators."""

    id: UUID
    slug: str
    name: str
    created_at: datetime


_TENANTS = Statement(
    TenantLine,
    select(*columns(TenantLine, Tenant)).where(Tenant.id != PLATFORM_TENANT).order_by(Tenant.created_at, Tenant.slug),
)
EVERY_TENANT = Statement(schedule.TenantId, select(Tenant.id.label("tenant_id")))
"""The tenants, for what is due in each of them; the platform tenant is one."""
_DEFAULT_TENANT = Statement(TenantId, select(Tenant.id).where(Tenant.is_default))
_TENANT_BY_SLUG = Statement(TenantId, select(Tenant.id).where(Tenant.slug == bindparam("wanted")))

# Two people who want one slug at once: the unique constraint decides, and the loser gets no row.
_PUT_TENANT = Statement(
    TenantId,
    insert(Tenant).on_conflict_do_nothing(index_elements=["slug"]).returning(Tenant.id),
    insert_keys=("id", "slug", "name", "is_default", "allows_unverified", "created_at"),
)


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


async def list_tenants(ctx: Ctx) -> list[TenantLine]:
    """Every community, the oldest first."""
    return await ctx.db.all(_TENANTS)


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

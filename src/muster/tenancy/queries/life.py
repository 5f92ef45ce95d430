"""SQL about the life of communities: open, closed, about to be deleted, gone."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from muster.identity.tables import User
from muster.kit.caller import TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.db.tables import PLATFORM_TENANT
from muster.tenancy.tables import Member, Tenant

# The API and the worker may go by clocks that differ a little; who restores in the last second is not erased in it.
_SKEW = timedelta(minutes=5)


class LockedTenant(Row):
    """A community under its lock."""

    id: UUID
    name: str
    is_default: bool
    status: TenantStatus
    status_before: TenantStatus | None
    deletes_at: datetime | None


class DueTenant(Row):
    """A community whose time has come."""

    id: UUID


_THIS = Tenant.id == bindparam("tenant", type_=Tenant.id.type)
_DUE = (Tenant.status == TenantStatus.DELETING) & (Tenant.deletes_at <= bindparam("now", type_=Tenant.deletes_at.type))
# One at a time changes whether a community is open, or who owns it. Rows that point to it are made meanwhile.
_LOCK = Statement(
    LockedTenant,
    select(*columns(LockedTenant, Tenant)).where(_THIS, Tenant.id != PLATFORM_TENANT).with_for_update(key_share=True),
)
_PUT_STATUS = Statement(
    Nothing,
    update(Tenant)
    .where(_THIS)
    .values(
        status=bindparam("new_status", type_=Tenant.status.type),
        status_before=bindparam("before", type_=Tenant.status.type),
        status_reason=bindparam("reason", type_=Tenant.status_reason.type),
        status_since=bindparam("moment", type_=Tenant.status_since.type),
        deletes_at=bindparam("gone_at", type_=Tenant.deletes_at.type),
    ),
)
_PUT_LIMIT = Statement(
    Nothing,
    update(Tenant).where(_THIS).values(max_members=bindparam("most", type_=Tenant.max_members.type)),
)
_FIND_DUE = Statement(DueTenant, select(Tenant.id).where(_DUE).order_by(Tenant.deletes_at, Tenant.id))
_IS_DUE = Statement(DueTenant, select(Tenant.id).where(_THIS, _DUE))
_BLANK_SERVICES = Statement(
    Nothing, update(User).where(User.id.in_(select(Member.user_id).where(Member.is_service))).values(name="")
)
_REMOVE = Statement(Nothing, delete(Tenant).where(_THIS, _DUE))


async def blank_services(tx: Transaction) -> None:
    """Forget what the programs of the transaction's tenant are called: their accounts are in no community's table."""
    await tx.run(_BLANK_SERVICES)


async def lock_tenant(ctx: Ctx, tenant_id: UUID) -> LockedTenant | None:
    """Lock a community; None when there is none. The platform's tenant is none."""
    return await ctx.db.one(_LOCK, tenant=tenant_id)


async def put_tenant_status(
    ctx: Ctx,
    tenant_id: UUID,
    status: TenantStatus,
    *,
    reason: str | None = None,
    before: TenantStatus | None = None,
    deletes_at: datetime | None = None,
) -> None:
    """Open or close the locked community. before, deletes_at: for one that is to be deleted."""
    await ctx.db.run(
        _PUT_STATUS,
        tenant=tenant_id,
        new_status=status,
        before=before,
        reason=reason,
        moment=ctx.now,
        gone_at=deletes_at,
    )


async def put_limit(ctx: Ctx, most: int | None) -> None:
    """Say how many members the transaction's community may have. Under `lock_seats`."""
    await ctx.db.run(_PUT_LIMIT, tenant=ctx.tenant_id, most=most)


async def find_due(ctx: Ctx) -> list[DueTenant]:
    """The communities that are to be erased by now."""
    return await ctx.db.all(_FIND_DUE, now=ctx.now - _SKEW)


async def is_due(ctx: Ctx, tenant_id: UUID) -> bool:
    """Whether a community is one of those."""
    return await ctx.db.one(_IS_DUE, tenant=tenant_id, now=ctx.now - _SKEW) is not None


async def remove(ctx: Ctx, tenant_id: UUID) -> bool:
    """Remove the row of a community of which nothing else is left; False when it is gone."""
    return await ctx.db.run(_REMOVE, tenant=tenant_id, now=ctx.now - _SKEW) > 0

"""Close communities and open them again: archived by who runs them, suspended by the platform, deleted by the owner."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.kit.caller import Permission, TenantStatus, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Gone, NotFound
from muster.kit.limits import API
from muster.tenancy import queries, rules
from muster.tenancy.facts import TenantClosed, TenantDeletionBegun, TenantOpened, TenantRestored, TenantUpdated
from muster.tenancy.queries import LockedTenant
from muster.tenancy.rules import Deed
from muster.tenancy.views import TenantView

TENANT_ARCHIVE = Permission("tenant:archive")
TENANT_DELETE = Permission("tenant:delete")
TENANT_SUSPEND = Permission("tenant:suspend")


class NoSuchTenant(NotFound):
    """There is no such community."""

    code = "TENANT_NOT_FOUND"


class DefaultTenant(Conflict):
    """This is the community that everybody who registers joins, so it is always open."""

    code = "DEFAULT_TENANT"


class NotInThisState(Conflict):
    """The community's present state does not allow this; look at its `status`."""

    code = "TENANT_STATUS"


class GraceOver(Gone):
    """The community is being erased; it is too late to restore it."""

    code = "GRACE_OVER"


Reason = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; the owner is told, and members see it.")
]


@command("POST /tenant/archive", "archiveTenant", allow=member, permission=TENANT_ARCHIVE, limit=API, outlives=True)
async def archive(ctx: Ctx) -> TenantView:
    """Archive the community: everything stays to be read, and its members change nothing any more.

    Raises DefaultTenant, NotInThisState.
    """
    return await move(ctx, ctx.tenant_id, Deed.ARCHIVE)


@command("DELETE /tenant/archive", "unarchiveTenant", allow=member, permission=TENANT_ARCHIVE, limit=API, outlives=True)
async def unarchive(ctx: Ctx) -> TenantView:
    """Open an archived community again.

    Raises NotInThisState.
    """
    return await move(ctx, ctx.tenant_id, Deed.UNARCHIVE)


@command("POST /tenants/{id}/suspension", "suspendTenant", allow=member, permission=TENANT_SUSPEND, limit=API)
async def suspend(ctx: Ctx, *, id: UUID, reason: Reason) -> TenantView:
    """For the platform's staff, in the platform's tenant: close a community to everybody. Sockets end within a second.

    Raises NoSuchTenant, DefaultTenant, NotInThisState.
    """
    return await move(ctx, id, Deed.SUSPEND, reason)


@command("DELETE /tenants/{id}/suspension", "resumeTenant", allow=member, permission=TENANT_SUSPEND, limit=API)
async def resume(ctx: Ctx, *, id: UUID) -> TenantView:
    """For the platform's staff, in the platform's tenant: open a suspended community again.

    Raises NoSuchTenant, NotInThisState.
    """
    return await move(ctx, id, Deed.RESUME)


@command(
    "DELETE /tenant", "deleteTenant", allow=member, permission=TENANT_DELETE, limit=API, outlives=True, step_up=True
)
async def delete(ctx: Ctx) -> TenantView:
    """Have the community deleted in 30 days. It is closed at once; until then its owner can restore it.

    Raises DefaultTenant.
    """
    return await begin_deletion(ctx, ctx.tenant_id)


@command("DELETE /tenant/deletion", "restoreTenant", allow=member, permission=TENANT_DELETE, limit=API, outlives=True)
async def restore(ctx: Ctx) -> TenantView:
    """Keep a community that was to be deleted. It is as it was before.

    Raises NotInThisState, GraceOver.
    """
    tenant = await _lock(ctx, ctx.tenant_id)
    if tenant.status != TenantStatus.DELETING or tenant.status_before is None:
        raise NotInThisState
    if not rules.can_restore(tenant.status, tenant.deletes_at, ctx.now):
        raise GraceOver
    await queries.put_tenant_status(ctx, tenant.id, tenant.status_before)
    ctx.record(TenantRestored(tenant_id=tenant.id, by_id=ctx.actor.user_id))
    return TenantView.ref(tenant.id)


async def move(ctx: Ctx, tenant_id: UUID, deed: Deed, reason: str | None = None) -> TenantView:
    """Open or close a community; what follows belongs to it, wherever the request came in.

    Raises NoSuchTenant, DefaultTenant, NotInThisState.
    """
    tenant = await _lock(ctx, tenant_id)
    froms, to = rules.LIFE[deed]
    if tenant.status == to:
        return TenantView.ref(tenant_id)
    if tenant.status not in froms:
        raise NotInThisState(f"The community is {tenant.status.lower()}, so this cannot be done to it.")
    if tenant.is_default:
        raise DefaultTenant
    await queries.put_tenant_status(ctx, tenant_id, to, reason=reason)
    await _enter(ctx, tenant_id)
    by_id = ctx.actor.user_id
    if to == TenantStatus.ACTIVE:
        ctx.record(TenantOpened(tenant_id=tenant_id, by_id=by_id, status=tenant.status))
    else:
        ctx.record(TenantClosed(tenant_id=tenant_id, by_id=by_id, status=to, reason=reason))
    return TenantView.ref(tenant_id)


async def begin_deletion(ctx: Ctx, tenant_id: UUID) -> TenantView:
    """Close a community, to be erased after the grace. Twice is once. Raises NoSuchTenant, DefaultTenant."""
    tenant = await _lock(ctx, tenant_id)
    if tenant.is_default:
        raise DefaultTenant
    if tenant.status != TenantStatus.DELETING:
        deletes_at = ctx.now + rules.GRACE
        await queries.put_tenant_status(
            ctx, tenant_id, TenantStatus.DELETING, before=tenant.status, deletes_at=deletes_at
        )
        await _enter(ctx, tenant_id)
        ctx.record(TenantDeletionBegun(tenant_id=tenant_id, by_id=ctx.actor.user_id, deletes_at=deletes_at))
    return TenantView.ref(tenant_id)


async def limit_members(ctx: Ctx, most: int | None) -> int:
    """Let the transaction's community have so many members, None being any number; answers with how many it has.

    Raises NoSuchTenant, DefaultTenant.
    """
    if (await _lock(ctx, ctx.tenant_id)).is_default:
        raise DefaultTenant("The community that everybody who registers joins takes any number.")
    # Whoever comes in holds this lock too, so nobody does by the number of before.
    seats = await queries.lock_seats(ctx)
    if seats.most != most:
        await queries.put_limit(ctx, most)
        ctx.record(TenantUpdated(tenant_id=ctx.tenant_id, changed=["maxMembers"]))
    return seats.taken


async def _lock(ctx: Ctx, tenant_id: UUID) -> LockedTenant:
    tenant = await queries.lock_tenant(ctx, tenant_id)
    if tenant is None:
        raise NoSuchTenant
    return tenant


async def _enter(ctx: Ctx, tenant_id: UUID) -> None:
    if ctx.tenant_id != tenant_id:
        await ctx.enter(tenant_id)

"""Work of tenancy that is due now and then: erasing communities whose grace is over, forgetting old invitations."""

from datetime import UTC, datetime, timedelta

from muster.kit.commands.context import Ctx
from muster.kit.personal.erasing import erase_tenant
from muster.kit.storage.storage import folder_of, storage_of
from muster.kit.work.errands import Errand
from muster.kit.work.operating import Chosen, cancel, discard
from muster.tenancy import queries
from muster.tenancy.commands import DomainTaken, look, lose, settle
from muster.tenancy.facts import DomainDue, TenantDue, TenantErased
from muster.tenancy.teams import queries as teams
from muster.tenancy.tenant_notices import mail_erased

KEPT = timedelta(days=30)
"""How long an address stays here after its invitation has ended, and a request after it was decided."""


async def announce_due(ctx: Ctx) -> None:
    """Say which communities are to be erased. What is said again, because it is not done yet, is done once."""
    for tenant in await queries.find_due(ctx):
        ctx.record(TenantDue(tenant_id=tenant.id))


async def erase_due(errand: Errand, fact: TenantDue) -> None:
    """Erase a community: all that it owns in many short transactions, its jobs, and its own row at last.

    Killed in between it goes on where it stopped, since until the end the row says that it is due.
    """
    async with errand.transaction() as ctx:
        if not await queries.is_due(ctx, fact.tenant_id):
            return
    await mail_erased(errand, fact)
    async with errand.services.database.transaction(fact.tenant_id) as tx:
        await queries.blank_services(tx)
    erased = await erase_tenant(errand.services.database, fact.tenant_id, datetime.now(UTC))
    storage = storage_of(errand.services.settings)
    await storage.delete(*await storage.paths(folder_of(tenant_id=fact.tenant_id)))
    await errand.progress(0.9, f"{erased} rows")
    async with errand.transaction() as ctx:
        theirs = Chosen(tenant_id=fact.tenant_id)
        await cancel(ctx, theirs)
        await discard(ctx, theirs)
        if await queries.remove(ctx, fact.tenant_id):
            ctx.record(TenantErased(tenant_id=fact.tenant_id))


async def forget_invitations(ctx: Ctx) -> None:
    """Remove a tenant's invitations and requests that ended long ago, and with them addresses of people with no account."""
    await queries.forget_invitations(ctx, ctx.now - KEPT)
    await queries.forget_requests(ctx, ctx.now - KEPT)
    await teams.forget_requests(ctx, ctx.now - KEPT)


async def announce_domains(ctx: Ctx) -> None:
    """Say which domains of a community are to be looked at again."""
    for domain in await queries.proven_domains(ctx):
        ctx.record(DomainDue(tenant_id=ctx.tenant_id, domain_id=domain.id, name=domain.name))


async def check_domain(errand: Errand, fact: DomainDue) -> None:
    """Look whether a domain is its community's still. Where nobody answers, that says nothing."""
    async with errand.transaction() as ctx:
        domain = await queries.find_domain(ctx.db, fact.domain_id)
    if domain is None:
        return
    looked = await look(errand.services.settings, domain)
    async with errand.transaction() as ctx:
        now = await queries.find_domain(ctx.db, fact.domain_id)
        if now is not None and now.proven_at is not None and looked.texts is not None:
            try:
                await settle(ctx, now, looked.texts)
            except DomainTaken:
                await lose(ctx, now)

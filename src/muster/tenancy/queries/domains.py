"""SQL about domains of communities, and where hosts lead."""

from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.kit.commands.context import Ctx
from muster.kit.db.database import Database, Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.work import schedule
from muster.tenancy.tables import Domain, Host, Tenant


class KnownDomain(Row):
    """A domain of the transaction's tenant."""

    id: UUID
    name: str
    token: str
    proven_at: datetime | None
    failing_since: datetime | None


class KnownHost(Row):
    """To whom a host leads, and what proved it."""

    id: UUID
    tenant_id: UUID
    name: str
    token: str


class Home(Row):
    """How a community is reached. host: the first of its own domains; None without any."""

    slug: str
    is_default: bool
    host: str | None


class Count(Row):
    """How many there are."""

    number: int


_ID = bindparam("domain", type_=Domain.id.type)
_MOMENT = bindparam("moment", type_=Domain.checked_at.type)
_THIS = (Domain.tenant_id == bindparam("tenant", type_=Domain.tenant_id.type)) & (Domain.id == _ID)
_DOMAIN = Statement(KnownDomain, select(*columns(KnownDomain, Domain)).where(Domain.id == _ID))
_PROVEN = Statement(KnownDomain, select(*columns(KnownDomain, Domain)).where(Domain.proven_at.is_not(None)))
_HOME = Statement(
    Home,
    select(
        Tenant.slug,
        Tenant.is_default,
        select(func.min(Host.name)).where(Host.tenant_id == Tenant.id).scalar_subquery().label("host"),
    ).where(Tenant.id == bindparam("tenant", type_=Tenant.id.type)),
)
_COUNT = Statement(Count, select(func.count().label("number")).select_from(Domain))
_PUT = Statement(
    KnownDomain,
    insert(Domain)
    .on_conflict_do_nothing(index_elements=["tenant_id", "name"])
    .returning(*columns(KnownDomain, Domain)),
    insert_keys=("tenant_id", "id", "name", "token", "added_at"),
)
_CHECKED = Statement(
    Nothing,
    update(Domain)
    .where(_THIS)
    .values(
        checked_at=_MOMENT,
        proven_at=bindparam("proven", type_=Domain.proven_at.type),
        failing_since=bindparam("failing", type_=Domain.failing_since.type),
    ),
)
_REMOVE = Statement(
    KnownDomain,
    delete(Domain)
    .where(
        Domain.tenant_id == bindparam("tenant", type_=Domain.tenant_id.type),
        Domain.name == bindparam("named", type_=Domain.name.type),
    )
    .returning(*columns(KnownDomain, Domain)),
)
# Two communities that prove one domain at once: the second waits here, and then sees to whom it leads.
_LOCK_HOST = Statement(
    KnownHost,
    select(*columns(KnownHost, Host)).where(Host.name == bindparam("wanted", type_=Host.name.type)),
)
_PUT_HOST = insertion(Nothing, Host, "id", "tenant_id", "name", "token")
_FORGET_HOST = Statement(Nothing, delete(Host).where(Host.id == _ID))
_HOSTS = Statement(KnownHost, select(*columns(KnownHost, Host)))
TENANTS_WITH_HOSTS = Statement(schedule.TenantId, select(Host.tenant_id.label("tenant_id")).distinct())
"""The tenants that have a domain of their own."""


async def find_domain(tx: Transaction, domain_id: UUID) -> KnownDomain | None:
    """A domain of the transaction's tenant."""
    return await tx.one(_DOMAIN, domain=domain_id)


async def proven_domains(ctx: Ctx) -> list[KnownDomain]:
    """Those that lead to the transaction's tenant."""
    return await ctx.db.all(_PROVEN)


async def count_domains(ctx: Ctx) -> int:
    """How many the transaction's tenant names."""
    found = await ctx.db.one(_COUNT)
    return 0 if found is None else found.number


async def put_domain(ctx: Ctx, *, name: str, token: str) -> UUID | None:
    """Name a domain; None when the transaction's tenant named it before."""
    made = await ctx.db.one(_PUT, tenant_id=ctx.tenant_id, id=new_id(), name=name, token=token, added_at=ctx.now)
    return None if made is None else made.id


async def put_checked(ctx: Ctx, domain_id: UUID, *, proven_at: datetime | None, failing_since: datetime | None) -> None:
    """Note what came of looking at a domain."""
    await ctx.db.run(
        _CHECKED, tenant=ctx.tenant_id, domain=domain_id, moment=ctx.now, proven=proven_at, failing=failing_since
    )


async def remove_domain(ctx: Ctx, name: str) -> None:
    """Forget a domain of the transaction's tenant, and that it leads here."""
    removed = await ctx.db.one(_REMOVE, tenant=ctx.tenant_id, named=name)
    if removed is not None:
        await ctx.db.run(_FORGET_HOST, domain=removed.id)


async def find_host(ctx: Ctx, name: str) -> KnownHost | None:
    """To whom a host leads."""
    return await ctx.db.one(_LOCK_HOST, wanted=name)


async def put_host(ctx: Ctx, domain: KnownDomain) -> None:
    """Let a host lead to the transaction's tenant."""
    await ctx.db.run(_PUT_HOST, id=domain.id, tenant_id=ctx.tenant_id, name=domain.name, token=domain.token)


async def forget_host(ctx: Ctx, domain_id: UUID) -> bool:
    """Let a host lead nowhere; False when it did not lead anywhere."""
    return await ctx.db.run(_FORGET_HOST, domain=domain_id) > 0


async def home_of(ctx: Ctx) -> str:
    """Where the pages of the transaction's community are: at its own domain, below the one of all, or at ours.

    One that has no address of its own, and is not the default one, is found there by nobody but its clients.
    """
    home = await ctx.db.one(_HOME, tenant=ctx.tenant_id)
    ours, below = ctx.settings.addresses.app, ctx.settings.communities.domain
    if home is None or (home.host is None and (home.is_default or below is None)):
        return ours
    return f"{urlsplit(ours).scheme}://{home.host or f'{home.slug}.{below}'}"


async def all_hosts(database: Database) -> dict[str, UUID]:
    """Where every host leads."""
    async with database.transaction(PLATFORM_TENANT) as tx:
        return {host.name: host.tenant_id for host in await tx.all(_HOSTS)}

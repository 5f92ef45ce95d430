"""SQL about communities themselves."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.kit.caller import TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Database, Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.db.tables import PLATFORM_TENANT, Json
from muster.kit.ids import new_id
from muster.kit.work import schedule
from muster.tenancy.tables import JoinPolicy, Tenant, TenantKind


class TenantId(Row):
    """The id of a community."""

    id: UUID


class TenantLine(Row):
    """A community in a list for operators."""

    id: UUID
    slug: str
    name: str
    status: TenantStatus
    created_at: datetime


class Look(Row):
    """What of a community its pages and mails show. is_known: everybody may know that there is it."""

    name: str
    status: TenantStatus
    status_reason: str | None
    deletes_at: datetime | None
    logo_url: str | None
    primary_colour: str | None
    accent_colour: str | None
    locale: str
    is_known: bool


class EditableTenant(Row):
    """What of a community may be changed, and how often it was."""

    name: str
    allows_unverified: bool
    requires_mfa: bool
    kind: TenantKind
    locale: str
    timezone: str
    country: str | None
    is_listed: bool
    join_policy: JoinPolicy
    keeps_content: bool
    limits_events: bool
    logo_url: str | None
    primary_colour: str | None
    accent_colour: str | None
    terms: Json
    version: int


_EDITED = tuple(name for name in EditableTenant.__struct_fields__ if name != "version")
_THIS = Tenant.id == bindparam("tenant", type_=Tenant.id.type)
# Whoever changes a community holds its row, so no change is lost, and none happens to one that just closed.
_LOCK_EDITABLE = Statement(
    EditableTenant, select(*columns(EditableTenant, Tenant)).where(_THIS).with_for_update(key_share=True)
)
_EDIT = Statement(
    Nothing,
    update(Tenant)
    .where(_THIS)
    .values(version=Tenant.version + 1, **{name: bindparam(f"new_{name}") for name in _EDITED}),
)
_TENANTS = Statement(
    TenantLine,
    select(*columns(TenantLine, Tenant)).where(Tenant.id != PLATFORM_TENANT).order_by(Tenant.created_at, Tenant.slug),
)
EVERY_TENANT = Statement(schedule.TenantId, select(Tenant.id.label("tenant_id")))
"""The tenants, for what is due in each of them; the platform tenant is one."""
_DEFAULT_TENANT = Statement(TenantId, select(Tenant.id).where(Tenant.is_default))
_OPEN_TO_SIGHT = or_(Tenant.is_default, and_(Tenant.is_listed, Tenant.status == TenantStatus.ACTIVE))
_LOOK = Statement(
    Look,
    select(
        Tenant.name,
        Tenant.status,
        Tenant.status_reason,
        Tenant.deletes_at,
        Tenant.logo_url,
        Tenant.primary_colour,
        Tenant.accent_colour,
        Tenant.locale,
        _OPEN_TO_SIGHT.label("is_known"),
    ).where(Tenant.id == bindparam("tenant")),
)
# Who belongs where is known here across communities; few ask for a factor, and an index has those alone.
_STRICT = Statement(
    TenantId,
    select(Tenant.id).where(Tenant.requires_mfa, func.finders.belongs(Tenant.id, bindparam("person", type_=Uuid()))),
)
_TENANT_BY_SLUG = Statement(TenantId, select(Tenant.id).where(Tenant.slug == bindparam("wanted")))

_CHOSEN = ("name", "kind", "locale", "timezone", "country", "is_listed", "join_policy", "allows_unverified")
# Two people who want one slug at once: the unique constraint decides, and the loser gets no row.
_PUT_TENANT = Statement(
    TenantId,
    insert(Tenant).on_conflict_do_nothing(index_elements=["slug"]).returning(Tenant.id),
    insert_keys=("id", "slug", "is_default", "created_at", *_CHOSEN),
)


async def put_tenant(ctx: Ctx, *, slug: str, **chosen: object) -> UUID | None:
    """Make a community; None when the slug is taken. chosen: what `CreateTenantInput` says of it."""
    made = await ctx.db.one(
        _PUT_TENANT,
        id=new_id(),
        slug=slug,
        is_default=False,
        created_at=ctx.now,
        **chosen,
    )
    return None if made is None else made.id


async def lock_editable(ctx: Ctx) -> EditableTenant:
    """What may be changed of the transaction's tenant, under its lock."""
    found = await ctx.db.one(_LOCK_EDITABLE, tenant=ctx.tenant_id)
    if found is None:
        raise LookupError("the tenant that the request entered is gone")
    return found


async def put_edited(ctx: Ctx, edited: EditableTenant) -> None:
    """Store the transaction's tenant, which is locked, as edited."""
    await ctx.db.run(_EDIT, tenant=ctx.tenant_id, **{f"new_{name}": getattr(edited, name) for name in _EDITED})


async def find_look(tx: Transaction, tenant_id: UUID) -> Look | None:
    """How a community looks."""
    return await tx.one(_LOOK, tenant=tenant_id)


async def needs_factor(ctx: Ctx, user_id: UUID) -> bool:
    """Whether any community that somebody is an active member of asks for a second factor."""
    return await ctx.db.one(_STRICT, person=user_id) is not None


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

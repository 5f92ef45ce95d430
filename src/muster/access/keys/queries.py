"""SQL that keys need."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, select, update

from muster.access.keys.tables import ApiKey
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.tenancy.tables import Member

COARSE = timedelta(minutes=5)
"""How exactly it is known when a key was last used."""


class KeyRow(Row):
    """A key as it was made, but for its name."""

    user_id: UUID
    hash: bytes
    scopes: list[str]
    networks: list[str]


class Holder(Row):
    """Whose a key is. is_service: a program's of the community."""

    user_id: UUID
    is_service: bool


_KEY = ApiKey.id == bindparam("key", type_=ApiKey.id.type)
_TENANT = ApiKey.tenant_id == bindparam("tenant", type_=ApiKey.tenant_id.type)
_MOMENT = bindparam("moment", type_=ApiKey.created_at.type)
_LIVES = ApiKey.revoked_at.is_(None)
_FIND = Statement(KeyRow, select(*columns(KeyRow, ApiKey)).where(_TENANT, _KEY))
_LOCK = Statement(
    Holder,
    select(ApiKey.user_id, Member.is_service)
    .join(Member, (Member.tenant_id == ApiKey.tenant_id) & (Member.user_id == ApiKey.user_id))
    .where(_TENANT, _KEY, _LIVES)
    .with_for_update(of=ApiKey),
)
_PUT = insertion(
    Nothing,
    ApiKey,
    "tenant_id",
    "id",
    "user_id",
    "name",
    "hash",
    "hint",
    "scopes",
    "networks",
    "created_at",
    "expires_at",
)
_RENAME = Statement(Nothing, update(ApiKey).where(_TENANT, _KEY).values(name=bindparam("called")))
_REVOKE = Statement(Nothing, update(ApiKey).where(_TENANT, _KEY).values(revoked_at=_MOMENT))
_USED = Statement(
    Nothing,
    update(ApiKey)
    .where(_TENANT, _KEY, ApiKey.last_used_at.is_(None) | (ApiKey.last_used_at < _MOMENT - COARSE))
    .values(last_used_at=_MOMENT),
)


async def find_key(tx: Transaction, tenant_id: UUID, key_id: UUID) -> KeyRow | None:
    """A key, be it over."""
    return await tx.one(_FIND, tenant=tenant_id, key=key_id)


async def lock_key(ctx: Ctx, key_id: UUID) -> Holder | None:
    """Whose a key is that is not revoked, and it stays so until the transaction ends; None without one."""
    return await ctx.db.one(_LOCK, tenant=ctx.tenant_id, key=key_id)


async def put_key(ctx: Ctx, key_id: UUID, **values: object) -> None:
    """Keep a new key."""
    await ctx.db.run(_PUT, tenant_id=ctx.tenant_id, id=key_id, created_at=ctx.now, **values)


async def rename_key(ctx: Ctx, key_id: UUID, name: str) -> None:
    """Call a key something else."""
    await ctx.db.run(_RENAME, tenant=ctx.tenant_id, key=key_id, called=name)


async def revoke_key(ctx: Ctx, key_id: UUID) -> None:
    """End a key."""
    await ctx.db.run(_REVOKE, tenant=ctx.tenant_id, key=key_id, moment=ctx.now)


async def note_use(tx: Transaction, tenant_id: UUID, key_id: UUID, now: datetime) -> None:
    """Note that a key is used, if that was not noted lately."""
    await tx.run(_USED, tenant=tenant_id, key=key_id, moment=now)

"""SQL that sealing, verifying and forgetting need. All of it is under one tenant, but for the search for tenants."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, Integer, Text, Uuid, bindparam, cast, delete, func, select

from muster.audit.rules import Sealable
from muster.audit.tables import AuditCheckpoint, AuditSeal
from muster.kit.commands.context import Ctx
from muster.kit.commands.tables import AuditChain, AuditRow, AuditUnsealed
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.kit.work.schedule import TenantId
from muster.tenancy.tables import Tenant, TenantKind


class Seal(Row):
    """A seal as it stands."""

    number: int
    before: int
    entries: bytes
    mac: bytes
    key_id: str
    at: datetime


class Checkpoint(Row):
    """A checkpoint as it stands."""

    number: int
    rows: int
    seal_mac: bytes
    mac: bytes
    key_id: str
    at: datetime


class _RowId(Row):
    id: UUID


class _Kind(Row):
    kind: TenantKind


class _Got(Row):
    got: bool


_IDS = bindparam("ids", type_=ARRAY(Uuid()))
_CHAIN = bindparam("chain", type_=Text())
_TENANT = bindparam("tenant", type_=Uuid())
_NUMBER = bindparam("number", type_=BigInteger())
_MOST = bindparam("most", type_=Integer())
_AFTER = bindparam("after", type_=DateTime(timezone=True))
_UNTIL = bindparam("until", type_=DateTime(timezone=True))

TENANTS_WITH_UNSEALED = Statement(TenantId, select(AuditUnsealed.tenant_id).distinct())
"""Where rows wait for their seal."""

_LOCK = Statement(
    _Got,
    select(func.pg_try_advisory_xact_lock(func.hashtextextended("audit seals " + cast(_TENANT, Text), 0)).label("got")),
)
_KIND = Statement(_Kind, select(Tenant.kind).where(Tenant.id == _TENANT))
_OF_WAITING = AuditUnsealed.tenant_id == _TENANT
_WAITING = Statement(_RowId, select(AuditUnsealed.id).where(_OF_WAITING).order_by(AuditUnsealed.id).limit(_MOST))
_STILL_WAITING = Statement(_RowId, select(AuditUnsealed.id).where(_OF_WAITING, AuditUnsealed.id == func.any(_IDS)))
_NO_LONGER_WAITING = Statement(Nothing, delete(AuditUnsealed).where(_OF_WAITING, AuditUnsealed.id == func.any(_IDS)))

_ROWS = select(*columns(Sealable, AuditRow)).where(AuditRow.tenant_id == _TENANT)
_ROWS_BY_ID = Statement(Sealable, _ROWS.where(AuditRow.id == func.any(_IDS)).order_by(AuditRow.id))
_ROWS_BETWEEN = Statement(Sealable, _ROWS.where(AuditRow.chain == _CHAIN, AuditRow.at > _AFTER, AuditRow.at <= _UNTIL))
_FORGET_ROWS = Statement(Nothing, delete(AuditRow).where(AuditRow.tenant_id == _TENANT, AuditRow.id == func.any(_IDS)))

_SEALS = select(*columns(Seal, AuditSeal)).where(AuditSeal.tenant_id == _TENANT, AuditSeal.chain == _CHAIN)
_LAST_SEAL = Statement(Seal, _SEALS.order_by(AuditSeal.number.desc()).limit(1))
_SEALS_AFTER = Statement(Seal, _SEALS.where(AuditSeal.number > _NUMBER).order_by(AuditSeal.number).limit(_MOST))
_PUT_SEAL = insertion(
    Nothing, AuditSeal, "tenant_id", "id", "chain", "number", "before", "entries", "mac", "key_id", "at"
)
_FORGET_SEAL = Statement(
    Nothing,
    delete(AuditSeal).where(AuditSeal.tenant_id == _TENANT, AuditSeal.chain == _CHAIN, AuditSeal.number == _NUMBER),
)

_CHECKPOINTS = select(*columns(Checkpoint, AuditCheckpoint)).where(
    AuditCheckpoint.tenant_id == _TENANT, AuditCheckpoint.chain == _CHAIN
)
_LAST_CHECKPOINT = Statement(Checkpoint, _CHECKPOINTS.order_by(AuditCheckpoint.number.desc()).limit(1))
_OLD_CHECKPOINT = Statement(
    Checkpoint,
    _CHECKPOINTS.where(AuditCheckpoint.at <= _UNTIL).order_by(AuditCheckpoint.number.desc()).limit(1),
)
_ALL_CHECKPOINTS = Statement(Checkpoint, _CHECKPOINTS.order_by(AuditCheckpoint.number))
_PUT_CHECKPOINT = insertion(
    Nothing, AuditCheckpoint, "tenant_id", "id", "chain", "number", "rows", "seal_mac", "mac", "key_id", "at"
)


async def kind_of(tx: Transaction, tenant_id: UUID) -> TenantKind | None:
    """What kind of community it is; None once it is gone, which its log outlives."""
    found = await tx.one(_KIND, tenant=tenant_id)
    return None if found is None else found.kind


async def lock_chains(ctx: Ctx) -> bool:
    """Be the only one who seals or forgets in this tenant until the transaction has become visible; False when another
    is at it.
    """
    found = await ctx.db.one(_LOCK, tenant=ctx.tenant_id)
    return found is not None and found.got


async def waiting_rows(ctx: Ctx, most: int) -> list[Sealable]:
    """The oldest rows that wait for their seal, in the order of their ids."""
    ids = [each.id for each in await ctx.db.all(_WAITING, tenant=ctx.tenant_id, most=most)]
    return await ctx.db.all(_ROWS_BY_ID, tenant=ctx.tenant_id, ids=ids)


async def no_longer_waiting(ctx: Ctx, ids: Sequence[UUID]) -> None:
    """Say that rows have their seal."""
    await ctx.db.run(_NO_LONGER_WAITING, tenant=ctx.tenant_id, ids=ids)


async def still_waiting(tx: Transaction, tenant_id: UUID, ids: Iterable[UUID]) -> set[UUID]:
    """Which of these rows wait for their seal."""
    return {each.id for each in await tx.all(_STILL_WAITING, tenant=tenant_id, ids=list(ids))}


async def rows_by_id(tx: Transaction, tenant_id: UUID, ids: Iterable[UUID]) -> dict[UUID, Sealable]:
    """These rows, those of them that there are."""
    return {each.id: each for each in await tx.all(_ROWS_BY_ID, tenant=tenant_id, ids=list(ids))}


async def rows_between(
    tx: Transaction, tenant_id: UUID, chain: AuditChain, after: datetime, until: datetime
) -> dict[UUID, Sealable]:
    """The rows of a chain of a stretch of time, sealed or not."""
    found = await tx.all(_ROWS_BETWEEN, tenant=tenant_id, chain=chain, after=after, until=until)
    return {each.id: each for each in found}


async def forget_rows(ctx: Ctx, ids: Sequence[UUID]) -> None:
    """Remove rows; a trigger refuses those that are too young."""
    await ctx.db.run(_FORGET_ROWS, tenant=ctx.tenant_id, ids=ids)


async def last_seal(tx: Transaction, tenant_id: UUID, chain: AuditChain) -> Seal | None:
    """The newest seal that is kept of a chain."""
    return await tx.one(_LAST_SEAL, tenant=tenant_id, chain=chain)


async def seals_after(tx: Transaction, tenant_id: UUID, chain: AuditChain, number: int, most: int) -> list[Seal]:
    """The seals of a chain that follow a number."""
    return await tx.all(_SEALS_AFTER, tenant=tenant_id, chain=chain, number=number, most=most)


async def put_seal(ctx: Ctx, chain: AuditChain, seal: Seal) -> None:
    """Keep a seal."""
    await ctx.db.run(_PUT_SEAL, tenant_id=ctx.tenant_id, id=new_id(), chain=chain, **_values(seal))


async def forget_seal(ctx: Ctx, chain: AuditChain, number: int) -> None:
    """Remove a seal; a trigger refuses one that is too young."""
    await ctx.db.run(_FORGET_SEAL, tenant=ctx.tenant_id, chain=chain, number=number)


async def last_checkpoint(tx: Transaction, tenant_id: UUID, chain: AuditChain) -> Checkpoint | None:
    """The newest checkpoint of a chain."""
    return await tx.one(_LAST_CHECKPOINT, tenant=tenant_id, chain=chain)


async def old_checkpoint(ctx: Ctx, chain: AuditChain, until: datetime) -> Checkpoint | None:
    """The newest checkpoint of a chain that was made by then."""
    return await ctx.db.one(_OLD_CHECKPOINT, tenant=ctx.tenant_id, chain=chain, until=until)


async def all_checkpoints(tx: Transaction, tenant_id: UUID, chain: AuditChain) -> list[Checkpoint]:
    """The checkpoints of a chain: one for each day on which something was sealed."""
    return await tx.all(_ALL_CHECKPOINTS, tenant=tenant_id, chain=chain)


async def put_checkpoint(ctx: Ctx, chain: AuditChain, checkpoint: Checkpoint) -> None:
    """Keep a checkpoint."""
    await ctx.db.run(_PUT_CHECKPOINT, tenant_id=ctx.tenant_id, id=new_id(), chain=chain, **_values(checkpoint))


def _values(row: Row) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__struct_fields__}

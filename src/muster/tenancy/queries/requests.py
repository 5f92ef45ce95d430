"""SQL about who asks to join, and how communities take people in."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.kit.caller import TenantStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id
from muster.tenancy.tables import JoinPolicy, JoinRequest, RequestStatus, Tenant


class Entrance(Row):
    """How a community takes people in."""

    join_policy: JoinPolicy
    status: TenantStatus
    is_default: bool
    is_listed: bool
    allows_unverified: bool


class Request(Row):
    """Somebody's wish to join."""

    id: UUID
    user_id: UUID
    status: RequestStatus
    reason: str | None


class RequestId(Row):
    """The id of a request."""

    id: UUID


_ENTRANCE = Statement(
    Entrance,
    select(*columns(Entrance, Tenant)).where(Tenant.id == bindparam("tenant", type_=Tenant.id.type)),
)
_ID = JoinRequest.id == bindparam("request", type_=JoinRequest.id.type)
_PENDING = JoinRequest.status == RequestStatus.PENDING
_OF_PERSON = JoinRequest.user_id == bindparam("person", type_=JoinRequest.user_id.type)
_WHOLE = select(*columns(Request, JoinRequest))
_READ = Statement(Request, _WHOLE.where(_ID))
# Of two who decide at once, the second finds it decided.
_LOCK = Statement(Request, _WHOLE.where(_ID).with_for_update())
_LOCK_OF_PERSON = Statement(Request, _WHOLE.where(_PENDING, _OF_PERSON).with_for_update())
# Of two requests of one person at once, one is made; the partial unique index sees to that.
_PUT = Statement(
    RequestId,
    insert(JoinRequest).on_conflict_do_nothing().returning(JoinRequest.id),
    insert_keys=("tenant_id", "id", "user_id", "note", "status", "created_at"),
)
_DECIDE = Statement(
    Nothing,
    update(JoinRequest)
    .where(_ID)
    .values(
        status=bindparam("now_is", type_=JoinRequest.status.type),
        reason=bindparam("why", type_=JoinRequest.reason.type),
        decided_by=bindparam("by", type_=JoinRequest.decided_by.type),
        decided_at=bindparam("moment", type_=JoinRequest.decided_at.type),
    ),
)
_FORGET = Statement(
    Nothing, delete(JoinRequest).where(JoinRequest.decided_at < bindparam("before", type_=JoinRequest.decided_at.type))
)


async def find_entrance(tx: Transaction, tenant_id: UUID) -> Entrance | None:
    """How a community takes people in; None when there is no such community."""
    return await tx.one(_ENTRANCE, tenant=tenant_id)


async def put_request(ctx: Ctx, *, note: str | None) -> UUID | None:
    """Note that the acting person wants to join the transaction's tenant; None when that is noted."""
    made = await ctx.db.one(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=ctx.user_id,
        note=note,
        status=RequestStatus.PENDING,
        created_at=ctx.now,
    )
    return None if made is None else made.id


async def read_request(tx: Transaction, request_id: UUID) -> Request | None:
    """A request as it stands."""
    return await tx.one(_READ, request=request_id)


async def lock_request(ctx: Ctx, request_id: UUID) -> Request | None:
    """A request, locked against other decisions."""
    return await ctx.db.one(_LOCK, request=request_id)


async def lock_request_of(ctx: Ctx, user_id: UUID) -> Request | None:
    """The request of a person that nobody has decided, locked."""
    return await ctx.db.one(_LOCK_OF_PERSON, person=user_id)


async def decide_request(
    ctx: Ctx, request_id: UUID, status: RequestStatus, *, by: UUID | None, reason: str | None = None
) -> None:
    """Say what became of a locked request. by: who decided; None is who asked."""
    await ctx.db.run(_DECIDE, request=request_id, now_is=status, why=reason, by=by, moment=ctx.now)


async def forget_requests(ctx: Ctx, before: datetime) -> None:
    """Remove the requests that were decided before a moment."""
    await ctx.db.run(_FORGET, before=before)

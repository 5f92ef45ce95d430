"""SQL about the platform's staff, and whom they act as."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Uuid, bindparam, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.access.roles import STAFF
from muster.access.tables import Impersonation
from muster.identity.tables import Session
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.tenancy.tables import Member, MemberStatus, Tenant


class Belongs(Row):
    """Whether somebody belongs to a community."""

    belongs: bool


class Ended(Row):
    """An impersonation that is over, and of whom."""

    id: UUID
    user_id: UUID


class Told(Row):
    """What a person is told of an impersonation of them."""

    why: str
    ticket: str
    community: str
    started_at: datetime
    ended_at: datetime


_PUT = insertion(
    Nothing, Impersonation, *(each.key for each in Impersonation.__table__.columns if each.key != "ended_at")
)
_BELONGS = Statement(
    Belongs,
    select(
        func.finders.belongs(bindparam("community", type_=Uuid()), bindparam("person", type_=Uuid())).label("belongs")
    ),
)
_NOW = bindparam("at", type_=DateTime(timezone=True))
_END = Statement(
    Ended,
    update(Impersonation)
    .where(
        Impersonation.id == bindparam("impersonation"),
        or_(Impersonation.staff_id == bindparam("party"), Impersonation.user_id == bindparam("party")),
        Impersonation.ended_at.is_(None),
        Impersonation.expires_at > _NOW,
    )
    .values(ended_at=_NOW)
    .returning(*columns(Ended, Impersonation)),
)
_SIGNED_OUT = select(Session.id).where(Session.id == Impersonation.session_id, Session.revoked_at.is_not(None)).exists()
_END_OVERDUE = Statement(
    Ended,
    update(Impersonation)
    .where(Impersonation.ended_at.is_(None), or_(Impersonation.expires_at <= _NOW, _SIGNED_OUT))
    .values(ended_at=func.least(Impersonation.expires_at, _NOW))
    .returning(*columns(Ended, Impersonation)),
)
_TOLD = Statement(
    Told,
    select(
        Impersonation.why,
        Impersonation.ticket,
        func.coalesce(Tenant.name, "").label("community"),
        Impersonation.started_at,
        Impersonation.ended_at,
    )
    .outerjoin_from(Impersonation, Tenant, Tenant.id == Impersonation.community_id)
    .where(Impersonation.id == bindparam("impersonation"), Impersonation.ended_at.is_not(None)),
)
_JOIN_STAFF = insert(Member)
_PUT_STAFF = Statement(
    Nothing,
    _JOIN_STAFF.on_conflict_do_update(
        index_elements=["tenant_id", "user_id"],
        set_={"role": _JOIN_STAFF.excluded.role, "status": _JOIN_STAFF.excluded.status},
    ),
    insert_keys=("tenant_id", "id", "user_id", "role", "status", "joined_at"),
)
_REMOVE_STAFF = Statement(
    Nothing,
    update(Member)
    .where(Member.user_id == bindparam("person"), Member.role == STAFF, Member.status == MemberStatus.ACTIVE)
    .values(status=MemberStatus.SUSPENDED),
)


async def belongs(ctx: Ctx, user_id: UUID, community_id: UUID) -> bool:
    """Whether somebody is an active member of any community."""
    found = await ctx.db.one(_BELONGS, community=community_id, person=user_id)
    return found is not None and found.belongs


async def put_impersonation(
    ctx: Ctx, *, user_id: UUID, community_id: UUID, session_id: UUID, why: str, ticket: str, expires_at: datetime
) -> UUID:
    """Note that the acting member of the staff acts as somebody from now on."""
    impersonation_id = new_id()
    await ctx.db.run(
        _PUT,
        id=impersonation_id,
        staff_id=ctx.user_id,
        user_id=user_id,
        community_id=community_id,
        session_id=session_id,
        why=why,
        ticket=ticket,
        started_at=ctx.now,
        expires_at=expires_at,
    )
    return impersonation_id


async def end_impersonation(ctx: Ctx, impersonation_id: UUID) -> Ended | None:
    """End one that the acting person does, or suffers; None when there is no such one under way."""
    return await ctx.db.one(_END, impersonation=impersonation_id, party=ctx.user_id, at=ctx.now)


async def end_overdue(ctx: Ctx) -> list[Ended]:
    """Note the end of those whose time is over, or whose member of the staff has signed out."""
    return await ctx.db.all(_END_OVERDUE, at=ctx.now)


async def find_impersonation(ctx: Ctx, impersonation_id: UUID) -> Told | None:
    """What there is to tell of one that is over."""
    return await ctx.db.one(_TOLD, impersonation=impersonation_id)


async def put_staff(ctx: Ctx, user_id: UUID) -> None:
    """Take somebody into the platform's staff. The transaction's tenant is the platform's."""
    await ctx.db.run(
        _PUT_STAFF,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=user_id,
        role=STAFF,
        status=MemberStatus.ACTIVE,
        joined_at=ctx.now,
    )


async def remove_staff(ctx: Ctx, user_id: UUID) -> bool:
    """Take somebody out of the platform's staff; False when they are not in it."""
    return await ctx.db.run(_REMOVE_STAFF, person=user_id) > 0

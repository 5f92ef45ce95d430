"""SQL about who belongs to a community."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Uuid, any_, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.tenancy.tables import Member, MemberStatus, Tenant


class MemberId(Row):
    """Which person a member is."""

    user_id: UUID


class MemberRole(Row):
    """What a member is."""

    role: str


class Standing(Row):
    """How a membership stands."""

    status: MemberStatus


class MemberLine(Row):
    """A member in a list for operators."""

    id: UUID
    name: str
    email: str
    role: str
    status: MemberStatus
    joined_at: datetime


class Membership(Row):
    """A locked membership."""

    id: UUID
    user_id: UUID
    role: str
    status: MemberStatus
    is_service: bool


class Seats(Row):
    """How many seats a community has taken, and how many it has; None is no limit."""

    taken: int
    most: int | None


_PERSON = bindparam("person", type_=Member.user_id.type)
_MEMBERS = Statement(
    MemberLine,
    select(User.id, User.name, User.email, Member.role, Member.status, Member.joined_at)
    .join(Member, Member.user_id == User.id)
    .order_by(Member.joined_at, User.name),
)
_ACTIVE = select(Member.user_id).where(Member.status == MemberStatus.ACTIVE)
_OWNER = Statement(MemberId, _ACTIVE.where(Member.role == "owner").order_by(Member.joined_at, Member.id).limit(1))
_RUNNERS = Statement(
    MemberId, _ACTIVE.where(Member.role.in_(("owner", "admin")), ~Member.is_service).order_by(Member.user_id)
)
_AFTER = Statement(
    MemberId,
    _ACTIVE.where(~Member.is_service, Member.user_id > bindparam("last", type_=Member.user_id.type))
    .order_by(Member.user_id)
    .limit(bindparam("most", type_=Integer())),
)
_MEMBER_BY_EMAIL = Statement(
    MemberId, _ACTIVE.join(User, User.id == Member.user_id).where(User.email == bindparam("mail"))
)
_ROLE = Statement(
    MemberRole,
    select(Member.role).where(Member.user_id == bindparam("person"), Member.status == MemberStatus.ACTIVE),
)
_STATUS = Statement(Standing, select(Member.status).where(Member.user_id == bindparam("person")))
_PUT_MEMBER = insertion(Nothing, Member, "tenant_id", "id", "user_id", "role", "status", "joined_at")
_MEMBERSHIP = select(*columns(Membership, Member)).where(Member.user_id == _PERSON)
# Of two who change one membership at once, the second decides on what the first has left.
_LOCK_MEMBER = Statement(Membership, _MEMBERSHIP.with_for_update(key_share=True))
# Against every change of the row: who suspends them, or lets them go, waits.
_HOLD = Statement(
    MemberId,
    _ACTIVE.where(Member.user_id == any_(bindparam("people", type_=ARRAY(Uuid()))), ~Member.is_service)
    .order_by(Member.user_id)
    .with_for_update(read=True),
)
_SEATED = (MemberStatus.ACTIVE, MemberStatus.SUSPENDED)
_SEATS = Statement(
    Seats,
    select(
        select(func.count()).where(Member.status.in_(_SEATED), ~Member.is_service).scalar_subquery().label("taken"),
        Tenant.max_members.label("most"),
    ).where(Tenant.id == bindparam("tenant", type_=Tenant.id.type)),
)
_NEW = insert(Member)
_SEAT = Statement(
    Membership,
    _NEW.on_conflict_do_update(
        index_elements=["tenant_id", "user_id"],
        set_={name: _NEW.excluded[name] for name in ("role", "status", "joined_at")} | {"note": None},
    ).returning(*columns(Membership, Member)),
    insert_keys=("tenant_id", "id", "user_id", "role", "status", "joined_at"),
)
_THIS = Member.id == bindparam("member", type_=Member.id.type)
_PUT_STATUS = Statement(
    Nothing,
    update(Member).where(_THIS).values(status=bindparam("now_is", type_=Member.status.type), note=bindparam("why")),
)
# Who is gone holds on to no role of the community's own, so that it can be deleted.
_PUT_GONE = Statement(
    Nothing,
    update(Member)
    .where(_THIS)
    .values(status=bindparam("now_is", type_=Member.status.type), note=bindparam("why"), role="participant"),
)
_PUT_ROLE = Statement(Nothing, update(Member).where(_THIS).values(role=bindparam("given")))


async def put_member(ctx: Ctx, *, user_id: UUID, role: str) -> None:
    """Make a person an active member of the transaction's tenant."""
    await ctx.db.run(
        _PUT_MEMBER,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=user_id,
        role=role,
        status=MemberStatus.ACTIVE,
        joined_at=ctx.now,
    )


async def hold_members(ctx: Ctx, people: Collection[UUID]) -> set[UUID]:
    """Who of these people are active members, and stay so until the transaction ends. A program is none of them."""
    return {each.user_id for each in await ctx.db.all(_HOLD, people=list(people))}


async def find_role(ctx: Ctx, user_id: UUID) -> str | None:
    """The role of an active member of the transaction's tenant; None for who is none."""
    found = await ctx.db.one(_ROLE, person=user_id)
    return None if found is None else found.role


async def find_status(ctx: Ctx, user_id: UUID) -> MemberStatus | None:
    """How a person's membership of the transaction's tenant stands; None when they never had one."""
    found = await ctx.db.one(_STATUS, person=user_id)
    return None if found is None else found.status


async def lock_seats(ctx: Ctx) -> Seats:
    """How many seats are taken. Until the transaction ends nobody else comes into the community.

    So of thirty who come at once where three seats are free three get one, and of two requests of one person the second
    sees what the first did.
    """
    await ctx.db.take_turn(f"seats of {ctx.tenant_id}")
    found = await ctx.db.one(_SEATS, tenant=ctx.tenant_id)
    if found is None:
        raise LookupError(f"there is no tenant {ctx.tenant_id}")
    return found


async def lock_member(ctx: Ctx, user_id: UUID) -> Membership | None:
    """Lock a person's membership against other changes; None when they never had one."""
    return await ctx.db.one(_LOCK_MEMBER, person=user_id)


async def seat_member(ctx: Ctx, *, user_id: UUID, role: str) -> UUID:
    """Give a person a seat, a new one or the one they gave up; answers with the membership. Under `lock_seats`."""
    made = await ctx.db.one(
        _SEAT,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=user_id,
        role=role,
        status=MemberStatus.ACTIVE,
        joined_at=ctx.now,
    )
    if made is None:
        raise LookupError("an upsert without a condition answers with its row")
    return made.id


async def put_status(ctx: Ctx, member_id: UUID, status: MemberStatus, *, note: str | None = None) -> None:
    """Say how a locked membership stands now, and why."""
    await ctx.db.run(_PUT_STATUS, member=member_id, now_is=status, why=note)


async def put_gone(ctx: Ctx, member_id: UUID, status: MemberStatus, *, note: str | None) -> None:
    """Say how a locked membership ended, and why."""
    await ctx.db.run(_PUT_GONE, member=member_id, now_is=status, why=note)


async def put_role(ctx: Ctx, member_id: UUID, role: str) -> None:
    """Give a locked membership another role."""
    await ctx.db.run(_PUT_ROLE, member=member_id, given=role)


async def find_owner(ctx: Ctx) -> UUID | None:
    """Who has owned the transaction's tenant for longest."""
    found = await ctx.db.one(_OWNER)
    return None if found is None else found.user_id


async def runners_of(ctx: Ctx) -> list[UUID]:
    """Who runs the transaction's tenant: its owner and its admins."""
    return [each.user_id for each in await ctx.db.all(_RUNNERS)]


async def members_after(ctx: Ctx, last: UUID, most: int) -> list[UUID]:
    """The people of the transaction's tenant, by their ids, from the one after this on. most: how many at once."""
    return [each.user_id for each in await ctx.db.all(_AFTER, last=last, most=most)]


async def find_member(ctx: Ctx, email: str) -> UUID | None:
    """The active member of the transaction's tenant with a mail."""
    found = await ctx.db.one(_MEMBER_BY_EMAIL, mail=email)
    return None if found is None else found.user_id


async def list_members(ctx: Ctx) -> list[MemberLine]:
    """Everybody in the transaction's tenant, the first to join first."""
    return await ctx.db.all(_MEMBERS)

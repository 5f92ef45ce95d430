"""SQL that service accounts need: each is a membership whose account nobody signs in to."""

from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, true, update

from muster.access.keys.tables import ApiKey
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.kit.text import as_id
from muster.tenancy.tables import Member, MemberStatus


class ServiceAccount(Row):
    """A service account."""

    id: UUID
    user_id: UUID
    role: str


class Count(Row):
    """How many there are."""

    number: int


class KeyId(Row):
    """Which key."""

    id: UUID


_STANDING = (Member.is_service == true(), Member.status.in_((MemberStatus.ACTIVE, MemberStatus.SUSPENDED)))
_PUT = insertion(Nothing, Member, "tenant_id", "id", "user_id", "role", "status", "joined_at", "is_service")
_COUNT = Statement(Count, select(func.count().label("number")).select_from(Member).where(*_STANDING))
# Who makes a key for it and who removes it: the second waits, and finds it gone, or the key there to be revoked.
_LOCK = Statement(
    ServiceAccount,
    select(*columns(ServiceAccount, Member))
    .where(Member.id == bindparam("account", type_=Member.id.type), *_STANDING)
    .with_for_update(key_share=True),
)
_SAME = bindparam("same", type_=Member.id.type)
_FIND = Statement(
    ServiceAccount,
    select(*columns(ServiceAccount, Member))
    .join(User, User.id == Member.user_id)
    .where(or_(User.name == bindparam("called"), Member.id == _SAME, Member.user_id == _SAME), *_STANDING),
)
_REVOKE = Statement(
    KeyId,
    update(ApiKey)
    .where(
        ApiKey.tenant_id == bindparam("tenant", type_=ApiKey.tenant_id.type),
        ApiKey.user_id == bindparam("holder", type_=ApiKey.user_id.type),
        ApiKey.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("moment", type_=ApiKey.revoked_at.type))
    .returning(ApiKey.id),
)


async def put_service(ctx: Ctx, user_id: UUID, role: str) -> UUID:
    """Make an account of a program a member of the transaction's tenant; answers with the membership."""
    member_id = new_id()
    await ctx.db.run(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=member_id,
        user_id=user_id,
        role=role,
        status=MemberStatus.ACTIVE,
        joined_at=ctx.now,
        is_service=True,
    )
    return member_id


async def count_services(ctx: Ctx) -> int:
    """How many service accounts the transaction's tenant has."""
    found = await ctx.db.one(_COUNT)
    return 0 if found is None else found.number


async def lock_service(ctx: Ctx, member_id: UUID) -> ServiceAccount | None:
    """A service account that is not removed, and stays so until the transaction ends."""
    return await ctx.db.one(_LOCK, account=member_id)


async def find_services(ctx: Ctx, named: str) -> list[UUID]:
    """The accounts of the service accounts with a name, or of the one with an id of its membership or its account."""
    return [each.user_id for each in await ctx.db.all(_FIND, called=named, same=as_id(named))]


async def revoke_keys(ctx: Ctx, user_id: UUID) -> list[UUID]:
    """End every key of somebody here; answers with those that lived."""
    return [each.id for each in await ctx.db.all(_REVOKE, tenant=ctx.tenant_id, holder=user_id, moment=ctx.now)]

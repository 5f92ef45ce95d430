"""SQL about who owns a community, and who may be the next to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.tenancy.tables import Member, MemberStatus, OwnershipOffer


class Offer(Row):
    """An offer to own the transaction's tenant."""

    id: UUID
    user_id: UUID
    expires_at: datetime


class Candidate(Row):
    """Somebody who may own the transaction's tenant."""

    user_id: UUID


class Owned(Row):
    """How many communities somebody owns."""

    number: int


_PERSON = bindparam("person", type_=User.id.type)
_ROLE = Statement(
    Nothing,
    update(Member)
    .where(Member.tenant_id == bindparam("tenant", type_=Member.tenant_id.type), Member.user_id == _PERSON)
    .values(role=bindparam("new_role", type_=Member.role.type)),
)
_CANDIDATE = Statement(
    Candidate,
    select(Member.user_id)
    .join(User, User.id == Member.user_id)
    .where(Member.user_id == _PERSON, Member.status == MemberStatus.ACTIVE, User.verified_at.is_not(None)),
)
_OFFER = Statement(Offer, select(*columns(Offer, OwnershipOffer)))
_PUT_OFFER = insertion(Nothing, OwnershipOffer, "tenant_id", "id", "user_id", "made_at", "expires_at")
_FORGET_OFFER = Statement(
    Nothing,
    delete(OwnershipOffer).where(OwnershipOffer.tenant_id == bindparam("tenant", type_=OwnershipOffer.tenant_id.type)),
)
# Two communities that one person founds or takes over at once: the second waits here until the first is counted.
_LOCK_PERSON = Statement(
    Candidate, select(User.id.label("user_id")).where(User.id == _PERSON).with_for_update(key_share=True)
)
_OWNED = Statement(
    Owned, select(func.count().label("number")).select_from(func.finders.owned_by(_PERSON).table_valued("id"))
)


async def number_owned(ctx: Ctx, user_id: UUID) -> int:
    """How many communities a person owns; nobody else makes them own another until this transaction ends."""
    await ctx.db.one(_LOCK_PERSON, person=user_id)
    found = await ctx.db.one(_OWNED, person=user_id)
    return 0 if found is None else found.number


async def is_candidate(ctx: Ctx, user_id: UUID) -> bool:
    """Whether somebody may own the transaction's tenant: an active member whose mail is known to be theirs."""
    return await ctx.db.one(_CANDIDATE, person=user_id) is not None


async def find_offer(ctx: Ctx) -> Offer | None:
    """The offer in the transaction's tenant, be it over or not."""
    return await ctx.db.one(_OFFER)


async def put_offer(ctx: Ctx, user_id: UUID, expires_at: datetime) -> UUID:
    """Make an offer in the locked tenant, in place of any other; answers with its id."""
    await forget_offer(ctx)
    offer_id = new_id()
    await ctx.db.run(
        _PUT_OFFER, tenant_id=ctx.tenant_id, id=offer_id, user_id=user_id, made_at=ctx.now, expires_at=expires_at
    )
    return offer_id


async def forget_offer(ctx: Ctx) -> bool:
    """Take back the offer in the locked tenant; False when there is none."""
    return await ctx.db.run(_FORGET_OFFER, tenant=ctx.tenant_id) > 0


async def hand_over(ctx: Ctx, *, old_owner_id: UUID, new_owner_id: UUID) -> None:
    """Make another member of the locked tenant its owner; who was it becomes an admin.

    In this order: the unique index has room for one owner.
    """
    await ctx.db.run(_ROLE, tenant=ctx.tenant_id, person=old_owner_id, new_role="admin")
    await ctx.db.run(_ROLE, tenant=ctx.tenant_id, person=new_owner_id, new_role="owner")

"""SQL about who owns an event, and who may next. All of it runs under the event's lock."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from muster.events.ownership.tables import EventOwnershipOffer
from muster.events.tables import Event, EventMember, EventMemberRole
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id


class Offer(Row):
    """An offer to own an event."""

    id: UUID
    user_id: UUID
    expires_at: datetime


_EVENT = bindparam("event", type_=Event.id.type)
_OFFER = Statement(Offer, select(*columns(Offer, EventOwnershipOffer)).where(EventOwnershipOffer.event_id == _EVENT))
_PUT_OFFER = insertion(Nothing, EventOwnershipOffer, "tenant_id", "id", "event_id", "user_id", "made_at", "expires_at")
_FORGET_OFFER = Statement(Nothing, delete(EventOwnershipOffer).where(EventOwnershipOffer.event_id == _EVENT))
_DEMOTE = Statement(
    Nothing,
    update(EventMember)
    .where(EventMember.event_id == _EVENT, EventMember.role == EventMemberRole.OWNER)
    .values(role=EventMemberRole.MODERATOR),
)
_CROWN = Statement(
    Nothing,
    update(EventMember)
    .where(EventMember.event_id == _EVENT, EventMember.user_id == bindparam("person"))
    .values(role=EventMemberRole.OWNER),
)
_OWN = Statement(
    Nothing,
    update(Event)
    .where(Event.id == _EVENT)
    .values(owner_id=bindparam("person"), version=Event.version + 1, updated_at=bindparam("moment")),
)


async def find_offer(ctx: Ctx, event_id: UUID) -> Offer | None:
    """The offer to own the event, be it over or not."""
    return await ctx.db.one(_OFFER, event=event_id)


async def put_offer(ctx: Ctx, event_id: UUID, user_id: UUID, expires_at: datetime) -> UUID:
    """Make an offer, in place of any other; answers with its id."""
    await forget_offer(ctx, event_id)
    offer_id = new_id()
    given = {"tenant_id": ctx.tenant_id, "id": offer_id, "event_id": event_id, "user_id": user_id}
    await ctx.db.run(_PUT_OFFER, **given, made_at=ctx.now, expires_at=expires_at)
    return offer_id


async def forget_offer(ctx: Ctx, event_id: UUID) -> bool:
    """Take the offer away; False when there is none."""
    return await ctx.db.run(_FORGET_OFFER, event=event_id) > 0


async def hand_over(ctx: Ctx, event_id: UUID, user_id: UUID) -> None:
    """Make a member of the event its owner; who was it becomes a moderator. No offer outlives it.

    In this order: the unique index `event_members_owner_idx` has room for one owner.
    """
    await ctx.db.run(_DEMOTE, event=event_id)
    await ctx.db.run(_CROWN, event=event_id, person=user_id)
    await ctx.db.run(_OWN, event=event_id, person=user_id, moment=ctx.now)
    await forget_offer(ctx, event_id)

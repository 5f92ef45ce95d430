"""SQL of the queue. All of it runs under the event's lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Uuid, any_, bindparam, column, func, null, select, true, update

from muster.events.queries import LockedEvent
from muster.events.queries.members import Recipient
from muster.events.rules import Party
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.events.tables.member import MOST_GUESTS
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.work.schedule import TenantId


class Waiting(Row):
    """A party that waits: its membership, the person who brings it, and its heads."""

    id: UUID
    user_id: UUID
    party_size: int


class Due(Row):
    """A place that was offered until now."""

    event_id: UUID
    user_id: UUID


_free = bindparam("free", type_=EventMember.party_size.type)
_sizes = func.generate_series(1, 1 + MOST_GUESTS).table_valued(column("size", BigInteger())).render_derived("sizes")
# Of each size no more than could ever be seated, and one to block the queue: nobody behind them has a turn yet.
_of_size = (
    select(EventMember.id, EventMember.user_id, EventMember.party_size, EventMember.queue_number)
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.party_size == _sizes.c.size,
        EventMember.queue_number.is_not(None),
        EventMember.offer_expires_at.is_(None),
    )
    .order_by(EventMember.queue_number)
    .limit(_free // _sizes.c.size + 1)
    .lateral("of_size")
)
_HEADS = Statement(
    Waiting,
    select(_of_size.c.id, _of_size.c.user_id, _of_size.c.party_size)
    .select_from(_sizes)
    .join(_of_size, true())
    .order_by(_of_size.c.queue_number),
)
_THESE = EventMember.id == any_(bindparam("members", type_=ARRAY(Uuid())))
_moment = bindparam("moment", type_=EventMember.joined_at.type)
_seats = bindparam("seats", type_=Event.joined_count.type)
_held = bindparam("held", type_=Event.held_count.type)
# The counters change in the statement that changes what they count.
_counted = (
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(joined_count=Event.joined_count + _seats, held_count=Event.held_count + _held)
    .cte("counted")
)
_SEAT = Statement(
    Nothing,
    update(EventMember)
    .where(_THESE)
    .values(
        status=EventMemberStatus.JOINED,
        role=EventMemberRole.PARTICIPANT,
        joined_at=_moment,
        queue_number=null(),
        offer_expires_at=null(),
    )
    .add_cte(_counted),
)
_CHANGE = Statement(
    Nothing,
    update(EventMember)
    .where(EventMember.id == bindparam("member"))
    .values(
        party_size=bindparam("size", type_=EventMember.party_size.type),
        guest_names=bindparam("names", type_=EventMember.guest_names.type),
    )
    .add_cte(_counted),
)
_now = bindparam("now", type_=EventMember.offer_expires_at.type)
_DUE = Statement(
    Due,
    select(EventMember.event_id, EventMember.user_id)
    .where(EventMember.tenant_id == bindparam("tenant"), EventMember.offer_expires_at <= _now)
    .order_by(EventMember.event_id)
    .limit(100),
)
TENANTS_WITH_DUE_OFFERS = Statement(
    TenantId, select(EventMember.tenant_id).where(EventMember.offer_expires_at <= _now).distinct()
)
"""The tenants in which offered places lapse, found across all of them."""
_OFFER = Statement(
    Nothing,
    update(EventMember)
    .where(_THESE)
    .values(offer_expires_at=bindparam("until", type_=EventMember.offer_expires_at.type))
    .add_cte(_counted),
)


_PARTIES_AFTER = Statement(
    Recipient,
    select(EventMember.user_id, true().label("by_mail"))
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.queue_number.is_not(None),
        EventMember.party_size == any_(bindparam("sizes", type_=ARRAY(BigInteger()))),
        EventMember.user_id > bindparam("after", type_=EventMember.user_id.type),
    )
    .order_by(EventMember.user_id)
    .limit(bindparam("size", type_=Integer())),
)
_PUT_PROMOTION_DUE = Statement(
    Nothing,
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(promotion_due_at=bindparam("due", type_=Event.promotion_due_at.type)),
)
_DUE_PROMOTIONS = Statement(
    LockedEvent,
    select(*columns(LockedEvent, Event))
    .where(Event.promotion_due_at <= bindparam("moment", type_=Event.promotion_due_at.type))
    .order_by(Event.id)
    .limit(100)
    .with_for_update(key_share=True, skip_locked=True),
)
_due = func.finders.tenants_with_due_promotions(bindparam("now", type_=Event.promotion_due_at.type))
TENANTS_WITH_DUE_PROMOTIONS = Statement(
    TenantId, select(_due.table_valued(column("tenant_id", Uuid())).alias("due").c.tenant_id)
)
"""The tenants in which a window that shut off free places opens by now, found across all of them."""


async def heads(ctx: Ctx, event_id: UUID, free: int | None) -> list[Waiting]:
    """Who of the queue may have a turn when so many places are free, in the order of the queue. free: None is unlimited."""
    return await ctx.db.all(_HEADS, event=event_id, free=free)


async def parties_after(ctx: Ctx, event_id: UUID, sizes: Sequence[int], after: UUID, *, size: int) -> list[Recipient]:
    """The next people who wait with parties of these sizes, by their ids. after: the last one known. size: how many at
    most.
    """
    return await ctx.db.all(_PARTIES_AFTER, event=event_id, sizes=sizes, after=after, size=size)


async def put_places(ctx: Ctx, event_id: UUID, member_ids: Sequence[UUID], *, seats: int, were_held: int = 0) -> None:
    """Seat parties that wait or asked. seats: heads of all of them. were_held: how many of these had been offered."""
    await ctx.db.run(_SEAT, event=event_id, members=member_ids, moment=ctx.now, seats=seats, held=-were_held)


async def put_offers(ctx: Ctx, event_id: UUID, member_ids: Sequence[UUID], *, held: int, until: datetime) -> None:
    """Hold places for parties that wait. held: heads of all of them."""
    await ctx.db.run(_OFFER, event=event_id, members=member_ids, until=until, seats=0, held=held)


async def put_party(ctx: Ctx, event_id: UUID, member_id: UUID, party: Party, *, seats: int, held: int) -> None:
    """Have other guests come under a name. seats, held: how many more places they have, or are offered, than before."""
    values = {"member": member_id, "size": party.size, "names": party.guest_names}
    await ctx.db.run(_CHANGE, event=event_id, seats=seats, held=held, **values)


async def due_offers(ctx: Ctx) -> list[Due]:
    """Places that were offered until now, by their events."""
    return await ctx.db.all(_DUE, tenant=ctx.tenant_id, now=ctx.now)


async def put_promotion_due(ctx: Ctx, event_id: UUID, due: datetime | None) -> None:
    """Have the schedule give the free places of the locked event to who waits at a moment, or at none."""
    await ctx.db.run(_PUT_PROMOTION_DUE, event=event_id, due=due)


async def lock_due_promotions(ctx: Ctx) -> list[LockedEvent]:
    """Lock the events whose windows open by now, some of them; what another has locked waits for next time."""
    return await ctx.db.all(_DUE_PROMOTIONS, moment=ctx.now)

"""SQL of joining: what organisers do with memberships, closing by hand, and the history of both."""

from uuid import UUID

from sqlalchemy import CTE, Uuid, bindparam, insert, select, update

from muster.events.joining.tables import EventMemberChange
from muster.events.rules import MemberDeed
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Statement, given, insertion
from muster.kit.ids import new_id

_CHANGE_COLUMNS = ("tenant_id", "id", "event_id", "user_id", "deed", "status", "role", "at", "actor_id", "note")
_CHANGE = Statement(
    Nothing,
    insert(EventMemberChange).from_select(
        _CHANGE_COLUMNS, select(given(**{name: getattr(EventMemberChange, name).type for name in _CHANGE_COLUMNS}))
    ),
)
_MEMBER = EventMember.id == bindparam("member", type_=EventMember.id.type)


def _one_more() -> CTE:
    """The event's counter, in the same statement as the seat that it counts."""
    event = Event.id == bindparam("event", type_=Uuid())
    return update(Event).where(event).values(joined_count=Event.joined_count + 1).cte("counted")


_SEAT = Statement(
    Nothing,
    update(EventMember)
    .where(_MEMBER)
    .values(
        status=EventMemberStatus.JOINED,
        role=EventMemberRole.PARTICIPANT,
        joined_at=bindparam("moment"),
        queue_number=None,
    )
    .add_cte(_one_more()),
)
_WAIT = Statement(
    Nothing,
    update(EventMember).where(_MEMBER).values(status=EventMemberStatus.WAITLIST, queue_number=EventMember.asked_number),
)
_BAN_STRANGER = insertion(
    Nothing, EventMember, "tenant_id", "id", "event_id", "user_id", "role", "status", "asked_at", "note"
)
_REJECT = Statement(
    Nothing,
    update(EventMember).where(_MEMBER).values(status=EventMemberStatus.REJECTED, reject_reason=bindparam("reason")),
)
_NOTE = Statement(Nothing, update(EventMember).where(_MEMBER).values(note=bindparam("remark")))


def put_change(
    ctx: Ctx,
    *,
    event_id: UUID,
    user_id: UUID,
    deed: MemberDeed,
    status: EventMemberStatus,
    role: EventMemberRole = EventMemberRole.PARTICIPANT,
    note: str | None = None,
    of_itself: bool = False,
) -> None:
    """Write down what is done with a membership. status, role: from now on. of_itself: nobody did it, it followed."""
    ctx.write(
        _CHANGE,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        event_id=event_id,
        user_id=user_id,
        deed=deed,
        status=status,
        role=role,
        at=ctx.now,
        actor_id=None if of_itself else ctx.actor.user_id,
        note=note,
    )


async def seat(ctx: Ctx, event_id: UUID, *, member_id: UUID) -> None:
    """Give who asked a place of the locked event."""
    await ctx.db.run(_SEAT, event=event_id, member=member_id, moment=ctx.now)


async def let_wait(ctx: Ctx, *, member_id: UUID) -> None:
    """Put who asked into the queue of the locked event, by the number that they drew when they asked."""
    await ctx.db.run(_WAIT, member=member_id)


async def reject(ctx: Ctx, *, member_id: UUID, reason: str | None = None) -> None:
    """Reject who asked, or was banned until now. reason: what they are told."""
    await ctx.db.run(_REJECT, member=member_id, reason=reason)


async def ban_stranger(ctx: Ctx, event_id: UUID, user_id: UUID, *, note: str | None) -> UUID:
    """Ban somebody who has no membership of the locked event; answers with the id of the one that says so."""
    member_id = new_id()
    await ctx.db.run(
        _BAN_STRANGER,
        tenant_id=ctx.tenant_id,
        id=member_id,
        event_id=event_id,
        user_id=user_id,
        role=EventMemberRole.PARTICIPANT,
        status=EventMemberStatus.BANNED,
        asked_at=ctx.now,
        note=note,
    )
    banned = EventMemberStatus.BANNED
    put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.BAN, status=banned, note=note)
    return member_id


async def put_note(ctx: Ctx, *, member_id: UUID, note: str | None) -> None:
    """Keep what the organisers note of a member."""
    await ctx.db.run(_NOTE, member=member_id, remark=note)


_CLOSE = Statement(
    Nothing,
    update(Event)
    .where(Event.id == bindparam("event"))
    .values(
        join_closed_at=bindparam("closed_at"),
        join_closed_by_id=bindparam("closed_by"),
        join_close_reason=bindparam("reason"),
        version=Event.version + 1,
        updated_at=bindparam("moment"),
    ),
)


async def put_closed(ctx: Ctx, event_id: UUID, *, is_closed: bool, reason: str | None = None) -> None:
    """Close the locked event to who wants in, or open it again, which forgets who closed it and why."""
    await ctx.db.run(
        _CLOSE,
        event=event_id,
        closed_at=ctx.now if is_closed else None,
        closed_by=ctx.user_id if is_closed else None,
        reason=reason,
        moment=ctx.now,
    )

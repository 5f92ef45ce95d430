"""SQL that reminders need: what is due, who is told, and what people have chosen."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Interval,
    Text,
    and_,
    any_,
    bindparam,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import array, insert
from sqlalchemy.orm import aliased

from muster.events.queries import Recipient
from muster.events.reminders.rules import FEEDBACK, FEEDBACK_AFTER, MINUTES, USUAL, Lead, late, lead_time
from muster.events.reminders.tables import ReminderChoice, ReminderRound
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus, EventStatus
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, given
from muster.kit.ids import new_id
from muster.kit.work.schedule import TenantId

_AT_ONCE = 500
"""Rounds that begin in one transaction; the rest waits for the next minute."""
_MOMENT = DateTime(timezone=True)


class Round(Row):
    """A round that has just begun."""

    event_id: UUID
    kind: str
    at: datetime


class ChoiceId(Row):
    """The id of a choice."""

    id: UUID


class Clock(Row):
    """Where a person's clock is; None when they have not said."""

    timezone: str | None


_minutes = list(MINUTES.values())
TENANTS_WITH_ROUNDS = Statement(
    TenantId,
    select(column("tenant_id")).select_from(
        func.finders.tenants_with_times(
            bindparam("now", type_=_MOMENT),
            array([literal(each) for each in _minutes]),
            array([literal(late(each)) for each in _minutes]),
            literal(int(FEEDBACK_AFTER.total_seconds()) // 60),
        ).table_valued("tenant_id")
    ),
)
"""The tenants in which an event starts soon or ended lately, found across all of them."""

_window = given(kind=Text(), after=_MOMENT, until=_MOMENT, lead=Interval())
_IS_ON = Event.status == EventStatus.PUBLISHED
# A draft that is published later than a reminder would have been is too late for it.
_starting = select(_window.c.kind, Event.id.label("event_id"), Event.starts_at.label("at")).where(
    _IS_ON,
    _window.c.kind != FEEDBACK,
    Event.starts_at > _window.c.after,
    Event.starts_at <= _window.c.until,
    Event.published_at <= Event.starts_at - _window.c.lead,
)
_ended = select(_window.c.kind, Event.id.label("event_id"), Event.ends_at.label("at")).where(
    _IS_ON, _window.c.kind == FEEDBACK, Event.ends_at > _window.c.after, Event.ends_at <= _window.c.until
)
_times = union_all(_starting, _ended).subquery("times")
_known = (
    select(ReminderRound.id)
    .where(
        ReminderRound.event_id == _times.c.event_id,
        ReminderRound.kind == _times.c.kind,
        or_(ReminderRound.at == _times.c.at, _times.c.kind == FEEDBACK),
    )
    .exists()
)
# Of two workers at once the unique constraint lets one begin a round, and the other gets no row.
_BEGIN = Statement(
    Round,
    insert(ReminderRound)
    .from_select(
        ["tenant_id", "id", "event_id", "kind", "at", "made_at"],
        select(
            bindparam("tenant", type_=ReminderRound.tenant_id.type),
            func.uuidv7(),
            _times.c.event_id,
            _times.c.kind,
            _times.c.at,
            bindparam("moment", type_=_MOMENT),
        )
        .where(~_known)
        .order_by(_times.c.at)
        .limit(_AT_ONCE),
    )
    .on_conflict_do_nothing()
    .returning(ReminderRound.event_id, ReminderRound.kind, ReminderRound.at),
)

_own, _usual = aliased(ReminderChoice), aliased(ReminderChoice)
_leads = func.coalesce(_own.leads, _usual.leads, array([literal(str(each)) for each in USUAL]))
_joined = (
    select(EventMember.user_id, func.coalesce(_own.by_mail, _usual.by_mail, true()).label("by_mail"))
    .join(Event, Event.id == EventMember.event_id)
    .outerjoin(_own, and_(_own.user_id == EventMember.user_id, _own.event_id == EventMember.event_id))
    .outerjoin(_usual, and_(_usual.user_id == EventMember.user_id, _usual.event_id.is_(None)))
    .where(
        EventMember.event_id == bindparam("event"),
        EventMember.user_id > bindparam("after", type_=EventMember.user_id.type),
        EventMember.status == EventMemberStatus.JOINED,
        _IS_ON,
    )
    .order_by(EventMember.user_id)
    .limit(bindparam("size", type_=Integer()))
)
_TO_REMIND = Statement(
    Recipient,
    _joined.where(
        Event.starts_at == bindparam("at", type_=_MOMENT),
        EventMember.joined_at <= bindparam("due", type_=_MOMENT),
        bindparam("lead", type_=Text()) == any_(_leads),
    ),
)
_TO_ASK = Statement(
    Recipient, _joined.where(EventMember.role != EventMemberRole.OWNER, EventMember.joined_at <= Event.ends_at)
)

_made = insert(ReminderChoice)
# Two choices of one person at once take turns at the row; the later one stays.
_CHOOSE = Statement(
    ChoiceId,
    _made.on_conflict_do_update(
        constraint="reminder_choices_one_key",
        set_={name: _made.excluded[name] for name in ("leads", "by_mail", "changed_at")},
    ).returning(ReminderChoice.id),
    insert_keys=("tenant_id", "id", "user_id", "event_id", "leads", "by_mail", "changed_at"),
)
_FORGET = Statement(
    Nothing,
    delete(ReminderChoice).where(
        ReminderChoice.user_id == bindparam("person"),
        ReminderChoice.event_id.is_not_distinct_from(bindparam("event", type_=ReminderChoice.event_id.type)),
    ),
)
_CLOCK = Statement(Clock, select(User.timezone).where(User.id == bindparam("person")))


async def begin_rounds(ctx: Ctx) -> list[Round]:
    """Begin the rounds that are due now and have not begun."""
    windows = [(str(lead), lead_time(lead), timedelta(minutes=late(minutes))) for lead, minutes in MINUTES.items()]
    windows.append((FEEDBACK, -FEEDBACK_AFTER, timedelta(minutes=late(24 * 60))))
    return await ctx.db.all(
        _BEGIN,
        tenant=ctx.tenant_id,
        moment=ctx.now,
        kind=[kind for kind, _, _ in windows],
        lead=[lead for _, lead, _ in windows],
        until=[ctx.now + lead for _, lead, _ in windows],
        after=[ctx.now + lead - lateness for _, lead, lateness in windows],
    )


async def to_remind(
    ctx: Ctx, event_id: UUID, lead: Lead, starts_at: datetime, *, after: UUID, size: int
) -> list[Recipient]:
    """The next people, by their ids, who want this reminder and had their place when it was due; nobody once the event
    starts at another time or is not to take place. after: the last one known.
    """
    due = starts_at - lead_time(lead)
    return await ctx.db.all(_TO_REMIND, event=event_id, lead=lead, at=starts_at, due=due, after=after, size=size)


async def to_ask(ctx: Ctx, event_id: UUID, *, after: UUID, size: int) -> list[Recipient]:
    """The next people, by their ids, who were there as guests. after: the last one known."""
    return await ctx.db.all(_TO_ASK, event=event_id, after=after, size=size)


async def put_choice(ctx: Ctx, event_id: UUID | None, leads: list[Lead], *, by_mail: bool) -> UUID:
    """Store what the acting person wants, instead of what they wanted before."""
    made = await ctx.db.one(
        _CHOOSE,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        user_id=ctx.user_id,
        event_id=event_id,
        leads=sorted(set(leads)),
        by_mail=by_mail,
        changed_at=ctx.now,
    )
    if made is None:
        raise LookupError("an upsert answers with its row")
    return made.id


async def forget_choice(ctx: Ctx, event_id: UUID | None) -> None:
    """Go back to what is usual."""
    await ctx.db.run(_FORGET, person=ctx.user_id, event=event_id)


async def clock_of(ctx: Ctx, user_id: UUID) -> str | None:
    """The time zone that a person has chosen."""
    found = await ctx.db.one(_CLOCK, person=user_id)
    return None if found is None else found.timezone

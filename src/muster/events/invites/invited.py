"""SQL of invitations. Whatever is written here is written under the lock of the event."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.events.facts import EventInvitationAnswered
from muster.events.invites.tables import EventInvitation, EventInvitationStatus
from muster.events.joining.tables import EventMemberChange
from muster.events.rules import MemberDeed
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.identity.predicates import not_blocked
from muster.identity.tables import User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, given, insertion
from muster.kit.ids import new_id

LIFETIME = timedelta(days=14)
"""How long an invitation by mail is good, from its last letter on."""


class Invitation(Row):
    """An invitation as it stands. One by mail has an address and an end; any other is somebody's of the community."""

    id: UUID
    event_id: UUID
    user_id: UUID | None
    email: str | None
    status: EventInvitationStatus
    made_by_id: UUID
    sent_at: datetime
    expires_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether it may still be answered."""
        return self.status == EventInvitationStatus.PENDING and (self.expires_at is None or self.expires_at > now)


class Sent(Row):
    """When an invitation was told."""

    sent_at: datetime


class Before(Row):
    """What somebody was to an event."""

    status: EventMemberStatus


class Welcome(Row):
    """Whether none of those who are concerned has blocked another."""

    welcome: bool


class Found(Row):
    """Whether there is such a row."""

    found: bool


_EVENT = bindparam("event", type_=Uuid())
_PERSON = bindparam("person", type_=Uuid())
_THIS = EventInvitation.id == bindparam("invitation", type_=Uuid())
_WHOLE = select(*columns(Invitation, EventInvitation))
_BY_ID = Statement(Invitation, _WHOLE.where(_THIS))
_OF_PERSON = Statement(
    Invitation,
    _WHOLE.where(
        EventInvitation.event_id == _EVENT, EventInvitation.user_id == _PERSON, EventInvitation.expires_at.is_(None)
    ),
)
_OF_ADDRESS = Statement(
    Invitation,
    _WHOLE.where(EventInvitation.event_id == _EVENT, EventInvitation.email == bindparam("mail", type_=Text())),
)
_PUT = insertion(
    Nothing,
    EventInvitation,
    *("tenant_id", "id", "event_id", "user_id", "email", "status", "made_by_id", "sent_at", "expires_at"),
)
_RENEWED = ("user_id", "status", "made_by_id", "sent_at", "expires_at", "ended_at")
_RENEW = Statement(
    Nothing,
    update(EventInvitation)
    .where(_THIS)
    .values({name: bindparam(f"new_{name}", type_=getattr(EventInvitation, name).type) for name in _RENEWED}),
)
_END = Statement(
    Nothing,
    update(EventInvitation)
    .where(_THIS)
    .values(
        status=bindparam("now_is", type_=EventInvitation.status.type),
        user_id=_PERSON,
        ended_at=bindparam("moment", type_=EventInvitation.ended_at.type),
    ),
)
_answer = given(event=Uuid(), person=Uuid(), now_is=EventInvitation.status.type, moment=EventInvitation.ended_at.type)
_ANSWER = Statement(
    Nothing,
    update(EventInvitation)
    .where(
        EventInvitation.event_id == _answer.c.event,
        EventInvitation.user_id == _answer.c.person,
        EventInvitation.expires_at.is_(None),
        EventInvitation.status == EventInvitationStatus.PENDING,
    )
    .values(status=_answer.c.now_is, ended_at=_answer.c.moment),
)
_OLDEST = Statement(
    Sent,
    select(EventInvitation.sent_at)
    .where(EventInvitation.event_id == _EVENT, EventInvitation.sent_at > bindparam("moment"))
    .order_by(EventInvitation.sent_at.desc(), EventInvitation.id.desc())
    .offset(bindparam("skipped"))
    .limit(1),
)
_MEMBER = ("tenant_id", "id", "event_id", "user_id", "role", "status", "asked_at")
_made = insert(EventMember)
_INVITE = Statement(
    Nothing,
    _made.on_conflict_do_update(
        index_elements=["tenant_id", "event_id", "user_id"],
        set_={"role": _made.excluded.role, "status": _made.excluded.status, "asked_at": _made.excluded.asked_at},
    ),
    insert_keys=_MEMBER,
)
_BEFORE = Statement(
    Before,
    select(EventMemberChange.status)
    .where(
        EventMemberChange.event_id == _EVENT,
        EventMemberChange.user_id == _PERSON,
        EventMemberChange.status != EventMemberStatus.INVITED,
    )
    .order_by(EventMemberChange.at.desc(), EventMemberChange.id.desc())
    .limit(1),
)
_TURNED_AWAY = Statement(
    Found,
    select(
        select(EventMemberChange.id)
        .where(
            EventMemberChange.event_id == _EVENT,
            EventMemberChange.user_id == _PERSON,
            EventMemberChange.deed.in_((MemberDeed.KICK, MemberDeed.REJECT)),
            EventMemberChange.at > bindparam("moment", type_=EventMemberChange.at.type),
        )
        .exists()
        .label("found")
    ),
)
# One look-up for each pair of people, as everywhere.
_WELCOME = Statement(
    Welcome,
    select(
        (not_blocked(bindparam("maker", type_=Uuid()), User.id) & not_blocked(Event.owner_id, User.id)).label("welcome")
    )
    .select_from(User)
    .join(Event, Event.id == _EVENT)
    .where(User.id == _PERSON),
)
_before = bindparam("before", type_=EventInvitation.ended_at.type)
_FORGET = Statement(
    Nothing,
    delete(EventInvitation).where(
        or_(
            EventInvitation.ended_at < _before,
            EventInvitation.expires_at < _before,
            EventInvitation.event_id.in_(select(Event.id).where(Event.ends_at < _before)),
        )
    ),
)


async def find_invitation(tx: Transaction, invitation_id: UUID) -> Invitation | None:
    """An invitation of the transaction's tenant."""
    return await tx.one(_BY_ID, invitation=invitation_id)


async def invitation_of_person(ctx: Ctx, event_id: UUID, user_id: UUID) -> Invitation | None:
    """The invitation that somebody of the community has, or had, to a locked event."""
    return await ctx.db.one(_OF_PERSON, event=event_id, person=user_id)


async def invitation_of_address(ctx: Ctx, event_id: UUID, email: str) -> Invitation | None:
    """The same of a mail address."""
    return await ctx.db.one(_OF_ADDRESS, event=event_id, mail=email)


async def put_invitation(ctx: Ctx, event_id: UUID, *, user_id: UUID | None, email: str | None) -> UUID:
    """Make an invitation of the acting person's, to somebody or to an address; answers with its id."""
    invitation_id = new_id()
    await ctx.db.run(
        _PUT,
        tenant_id=ctx.tenant_id,
        id=invitation_id,
        event_id=event_id,
        user_id=user_id,
        email=email,
        status=EventInvitationStatus.PENDING,
        made_by_id=ctx.user_id,
        sent_at=ctx.now,
        expires_at=None if email is None else ctx.now + LIFETIME,
    )
    return invitation_id


async def renew_invitation(ctx: Ctx, found: Invitation, *, sent_at: datetime) -> None:
    """Open an invitation again, as the acting person's. sent_at: when it was last told."""
    await ctx.db.run(
        _RENEW,
        invitation=found.id,
        new_user_id=found.user_id if found.email is None else None,
        new_status=EventInvitationStatus.PENDING,
        new_made_by_id=ctx.user_id,
        new_sent_at=sent_at,
        new_expires_at=None if found.email is None else ctx.now + LIFETIME,
        new_ended_at=None,
    )


async def end_invitation(
    ctx: Ctx, found: Invitation, status: EventInvitationStatus, *, user_id: UUID | None = None
) -> None:
    """Say what became of an invitation. user_id: who accepted one by mail."""
    person = user_id or found.user_id
    await ctx.db.run(_END, invitation=found.id, now_is=status, person=person, moment=ctx.now)


def answer(ctx: Ctx, event_id: UUID, user_id: UUID, status: EventInvitationStatus) -> None:
    """Close the invitation of somebody who is invited no more, by whatever they or others did."""
    ctx.write(_ANSWER, event=event_id, person=user_id, now_is=status, moment=ctx.now)
    if status != EventInvitationStatus.REVOKED:
        accepted = status == EventInvitationStatus.ACCEPTED
        ctx.record(EventInvitationAnswered(event_id=event_id, user_id=user_id, accepted=accepted))


async def oldest_sent(ctx: Ctx, event_id: UUID, number: int, since: datetime) -> datetime | None:
    """When the first of the last so many invitations to an event was told; None when there were fewer since then."""
    found = await ctx.db.one(_OLDEST, event=event_id, moment=since, skipped=number - 1)
    return None if found is None else found.sent_at


async def put_invited(ctx: Ctx, event_id: UUID, user_id: UUID) -> None:
    """Make somebody without a place INVITED to a locked event."""
    await ctx.db.run(
        _INVITE,
        tenant_id=ctx.tenant_id,
        id=new_id(),
        event_id=event_id,
        user_id=user_id,
        role=EventMemberRole.PARTICIPANT,
        status=EventMemberStatus.INVITED,
        asked_at=ctx.now,
    )


async def standing_before(ctx: Ctx, event_id: UUID, user_id: UUID) -> EventMemberStatus | None:
    """What somebody who is invited was to the event before; None for nothing."""
    found = await ctx.db.one(_BEFORE, event=event_id, person=user_id)
    return None if found is None else found.status


async def was_turned_away_since(ctx: Ctx, event_id: UUID, user_id: UUID, moment: datetime) -> bool:
    """Whether an organiser removed or rejected somebody after a moment."""
    found = await ctx.db.one(_TURNED_AWAY, event=event_id, person=user_id, moment=moment)
    return found is not None and found.found


async def is_welcome(ctx: Ctx, event_id: UUID, user_id: UUID, *, maker: UUID) -> bool:
    """Whether neither who invites somebody nor who owns the event, and they, have blocked each other."""
    found = await ctx.db.one(_WELCOME, event=event_id, person=user_id, maker=maker)
    return found is not None and found.welcome


async def forget_invitations(ctx: Ctx, before: datetime) -> None:
    """Remove the invitations that ended or expired before a moment, and those to what was over by then."""
    await ctx.db.run(_FORGET, before=before)

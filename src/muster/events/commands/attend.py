"""Join, leave, kick, and the promotion of who waits. The event's row lock makes each of them one at a time."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.access.roles import EVENT_MODERATE
from muster.chat import commands as chat
from muster.events import queries, rules
from muster.events.commands.finding import lock_seen_event
from muster.events.facts import EventJoined, EventKicked, EventLeft, EventPromoted, EventWaitlisted
from muster.events.limits import EVENT_WRITE
from muster.events.queries import LockedEvent
from muster.events.rules import Verdict
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.events.views import EventMemberView
from muster.kit.arguments import Input
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, Invalid, NotFound


class JoinClosed(Conflict):
    """The event is over or not open yet, so nobody can join it."""

    code = "JOIN_CLOSED"


class NotInvited(Denied):
    """This event is by invitation only."""

    code = "NOT_INVITED"


class WasKicked(Denied):
    """An organiser removed you from this event; only they can bring you back."""

    code = "WAS_KICKED"


class MembershipNotFound(NotFound):
    """There is no such membership of this event."""

    code = "MEMBERSHIP_NOT_FOUND"


class OwnerStays(Conflict):
    """The owner cannot leave the event or be removed from it."""

    code = "OWNER_STAYS"


class NotOrganiser(Denied):
    """Only the organisers of this event may do this."""

    code = "NOT_ORGANISER"


_REFUSALS = {Verdict.CLOSED: JoinClosed, Verdict.NOT_INVITED: NotInvited, Verdict.KICKED: WasKicked}


class Answer(Input):
    """An answer to a question of the join form."""

    question_id: UUID
    text: Annotated[str, Meta(max_length=2000)]


Answers = Annotated[list[Answer], Meta(max_length=50)]


@command(
    "POST /events/{event_id}/members", "joinEvent", allow=member, limit=EVENT_WRITE, line="event_id", answers=(200, 201)
)
async def join(ctx: Ctx, *, event_id: UUID, answers: Answers | None = None) -> EventMemberView:
    """Join an event, or take a place on its waitlist.

    Joining twice gives the first membership. Events have no join form yet, so any answer is refused.
    Raises EventNotFound, JoinClosed, NotInvited, WasKicked, Invalid.
    """
    if answers:
        raise Invalid.field("answers[0].questionId", "this event asks no questions", "UNKNOWN_QUESTION")
    event, own = await lock_seen_event(ctx, event_id)
    verdict = rules.decide_join(event.terms, queries.places(event, has_queue=own.has_queue), own.status, ctx.now)
    if verdict == Verdict.UNCHANGED and own.member_id is not None:
        return EventMemberView.ref(own.member_id)
    if verdict == Verdict.SEATED:
        member_id = await queries.put_seated(ctx, event_id, role=EventMemberRole.PARTICIPANT, member_id=own.member_id)
        await chat.seat(ctx, room_id=event_id, user_id=ctx.user_id)
        ctx.record(EventJoined(event_id=event_id, user_id=ctx.user_id, member_id=member_id))
    elif verdict == Verdict.WAITING:
        member_id = await queries.put_waiting(ctx, event_id, member_id=own.member_id)
        ctx.record(EventWaitlisted(event_id=event_id, user_id=ctx.user_id, member_id=member_id))
    else:
        raise _REFUSALS[verdict]
    return EventMemberView.ref(member_id, created=True)


@command("DELETE /events/{event_id}/members/me", "leaveEvent", allow=member, limit=EVENT_WRITE, line="event_id")
async def leave(ctx: Ctx, *, event_id: UUID) -> EventMemberView:
    """Give back one's place, or one's turn in the queue; whoever waits longest gets a freed place.

    Leaving twice changes nothing. Raises EventNotFound, MembershipNotFound, OwnerStays.
    """
    event, own = await lock_seen_event(ctx, event_id)
    if own.member_id is None or own.status is None:
        raise MembershipNotFound
    if own.role == EventMemberRole.OWNER:
        raise OwnerStays
    if own.status in (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST):
        await _depart(ctx, event, ctx.user_id, member_id=own.member_id, was=own.status, now_is=EventMemberStatus.LEFT)
        ctx.record(EventLeft(event_id=event_id, user_id=ctx.user_id, member_id=own.member_id))
    return EventMemberView.ref(own.member_id)


@command("DELETE /events/{event_id}/members/{user_id}", "kickMember", allow=member, limit=EVENT_WRITE, line="event_id")
async def kick(
    ctx: Ctx, *, event_id: UUID, user_id: UUID, note: Annotated[str, Meta(max_length=500)] | None = None
) -> EventMemberView:
    """Remove somebody from an event; whoever waits longest gets a freed place.

    note: why, for the organisers. Raises EventNotFound, NotOrganiser, MembershipNotFound, OwnerStays.
    """
    event, own = await lock_seen_event(ctx, event_id)
    if not (rules.is_organiser(own.role, own.status) or ctx.may(EVENT_MODERATE)):
        raise NotOrganiser
    target = await queries.standing(ctx, event_id, user_id)
    if target is None or target.member_id is None or target.status is None:
        raise MembershipNotFound
    if target.role == EventMemberRole.OWNER:
        raise OwnerStays
    if target.status in (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST):
        await _depart(
            ctx,
            event,
            user_id,
            member_id=target.member_id,
            was=target.status,
            now_is=EventMemberStatus.KICKED,
            note=note,
        )
        ctx.record(EventKicked(event_id=event_id, user_id=user_id, member_id=target.member_id))
    return EventMemberView.ref(target.member_id)


async def _depart(
    ctx: Ctx,
    event: LockedEvent,
    user_id: UUID,
    *,
    member_id: UUID,
    was: EventMemberStatus,
    now_is: EventMemberStatus,
    note: str | None = None,
) -> None:
    """Somebody goes; a freed place goes to the head of the queue in this same transaction, under the same lock."""
    await queries.put_departed(ctx, event.id, member_id=member_id, was=was, now_is=now_is, note=note)
    if was == EventMemberStatus.JOINED:
        await chat.unseat(ctx, room_id=event.id, user_id=user_id)
        await _promote_next(ctx, event.id)


async def _promote_next(ctx: Ctx, event_id: UUID) -> None:
    head = await queries.take_head_of_queue(ctx, event_id)
    if head is not None:
        await chat.seat(ctx, room_id=event_id, user_id=head.user_id)
        ctx.record(EventPromoted(event_id=event_id, user_id=head.user_id, member_id=head.id))

"""Join, leave, kick and roles. The event's row lock makes each of them one at a time."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated
from uuid import UUID

from msgspec import Meta, json

from muster.events import queries
from muster.events.commands.doors import Doors, open_doors
from muster.events.commands.finding import (
    is_left_to_do,
    lock_event_for,
    lock_seen_event,
)
from muster.events.facts import (
    EventJoined,
    EventKicked,
    EventLeft,
    EventRequested,
    EventRoleChanged,
    EventWaitlisted,
    EventWithdrawn,
)
from muster.events.invites import invited
from muster.events.invites.tables import EventInvitationStatus
from muster.events.joining.form import LONGEST_ANSWER, Given, Question, answer_problems, kept
from muster.events.joining.queries import put_change
from muster.events.limits import EVENT_WRITE
from muster.events.queries import LockedEvent, Standing, Visit
from muster.events.rules import ATTENDING, MEMBERSHIPS, Decision, Deed, JoinLock, MemberDeed, Party, Step, Verdict
from muster.events.sharing.keys import ShareKey
from muster.events.sponsorship.limiting import hold_moderators_to_plan
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.events.views import EventMemberView
from muster.events.waitlist.parties import Guests, party_of
from muster.events.waitlist.promotion import depart
from muster.kit.arguments import Input
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.errors import Conflict, Denied, Invalid, NotFound


class JoinClosed(Conflict):
    """Nobody gets into this event now; `reason` says why."""

    code = "JOIN_CLOSED"


class NotInvited(Denied):
    """This event is by invitation only."""

    code = "NOT_INVITED"


class WasKicked(Denied):
    """An organiser removed you from this event; only they can bring you back."""

    code = "WAS_KICKED"


class WasRejected(Denied):
    """An organiser rejected your request, and the event takes no second one."""

    code = "WAS_REJECTED"


class IsBanned(Denied):
    """An organiser banned you from this event."""

    code = "BANNED"


class PartyTooLarge(Conflict):
    """This event never has places for so many under one name, whoever leaves; bring fewer guests."""

    code = "PARTY_TOO_LARGE"


class MembershipNotFound(NotFound):
    """There is no such membership of this event."""

    code = "MEMBERSHIP_NOT_FOUND"


class OwnerStays(Conflict):
    """The owner cannot leave the event or be removed from it."""

    code = "OWNER_STAYS"


class NotInEvent(Conflict):
    """They have no place and no turn in the queue; a request is rejected, an invitation taken back."""

    code = "NOT_IN_EVENT"


class NotSeated(Conflict):
    """A role is for who has a place in the event."""

    code = "NOT_SEATED"


CLOSED = {
    JoinLock.DELETED: "This event is gone.",
    JoinLock.CANCELED: "This event is cancelled.",
    JoinLock.ENDED: "This event is over.",
    JoinLock.FULL: "This event is full, and takes nobody onto its waitlist now.",
    JoinLock.MANUAL: "The organisers take nobody more.",
    JoinLock.NOT_OPEN_YET: "This event is not open yet; come back later.",
    JoinLock.CUTOFF: "It is too close to the start to get in.",
    JoinLock.NO_LATE_JOIN: "This event has begun, and lets nobody in late.",
    JoinLock.LATE_CUTOFF: "It is too late after the start to get in.",
}
"""What people are told of the lock that keeps them out."""
_REFUSALS = {
    Verdict.NOT_INVITED: NotInvited,
    Verdict.KICKED: WasKicked,
    Verdict.REJECTED: WasRejected,
    Verdict.BANNED: IsBanned,
    Verdict.TOO_LARGE: PartyTooLarge,
}


class Answer(Input):
    """An answer to a question of the join form.

    text: to a question that is answered in words. choice: to one with one option to choose. choices: to one with some.
    """

    question_id: UUID
    text: Annotated[str, Meta(max_length=LONGEST_ANSWER)] | None = None
    choice: Annotated[str, Meta(max_length=200)] | None = None
    choices: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=10)] | None = None


Answers = Annotated[list[Answer], Meta(max_length=50)]


@command(
    "POST /events/{event_id}/members",
    "joinEvent",
    allow=member,
    limit=EVENT_WRITE,
    together=open_doors,
    line="event_id",
    answers=(200, 201),
)
async def join(
    ctx: Ctx,
    *,
    event_id: UUID,
    answers: Answers | None = None,
    guests: Guests | None = None,
    key: ShareKey | None = None,
    shared: Doors | None = None,
) -> EventMemberView:
    """Join an event, take a place on its waitlist where it is full, or ask to be let in where its organisers decide.

    Who is invited accepts by it. Joining twice gives the first membership.
    answers: to the join form, where the event has one; who is invited may leave them out. guests: who come along; all are
    seated together, or wait together. key: of a share link, for who sees the event by it.
    Raises EventNotFound, JoinClosed, NotInvited, WasKicked, WasRejected, IsBanned, PartyTooLarge, Invalid.
    """
    visit = Visit(event_id=event_id, user_id=ctx.user_id)
    doors = shared or await Doors.open(ctx.db, [visit], () if key is None else [(event_id, key)])
    event, own = doors.seen(visit, key)
    party = party_of(guests)
    decision = doors.decide(event, own, ctx.now, party=party)
    if decision.verdict == Verdict.UNCHANGED and own.member_id is not None:
        return EventMemberView.ref(own.member_id)
    return EventMemberView.ref(enter(ctx, doors, event, own, decision, party, answers=answers), created=True)


def enter(
    ctx: Ctx,
    doors: Doors,
    event: LockedEvent,
    own: Standing,
    decision: Decision,
    party: Party,
    *,
    way: MemberDeed = MemberDeed.JOIN,
    answers: Sequence[Answer] | None = None,
) -> UUID:
    """Let somebody and their guests in as it was decided; answers with the id of their membership.

    way: by which they come, for the history. answers: to what the event asks; who is invited need not answer.
    Raises JoinClosed, NotInvited, WasKicked, WasRejected, IsBanned, PartyTooLarge for who is refused, Invalid for answers
    that do not fit.
    """
    refuse(decision)
    was_invited = own.status == EventMemberStatus.INVITED
    said = _answered(doors.forms.get(event.id, ()), answers or (), is_free=was_invited)
    ways: dict[Verdict, tuple[Callable[..., UUID], Callable[..., Fact]]] = {
        Verdict.SEATED: (doors.seat, partial(EventJoined, was_invited=was_invited)),
        Verdict.WAITING: (doors.queue, EventWaitlisted),
        Verdict.ASKED: (doors.ask, EventRequested),
    }
    let_in, fact = ways[decision.verdict]
    member_id = let_in(ctx, event, own, party, said)
    assert own.status is not None
    if was_invited:
        invited.answer(ctx, event.id, own.user_id, EventInvitationStatus.ACCEPTED)
        way = MemberDeed.ACCEPT
    put_change(ctx, event_id=event.id, user_id=own.user_id, deed=way, status=own.status)
    ctx.record(fact(event_id=event.id, user_id=own.user_id, member_id=member_id))
    return member_id


def _answered(questions: Sequence[Question], answers: Sequence[Answer], *, is_free: bool) -> str | None:
    """The answers as they are kept, as JSON. is_free: nothing need be answered. Raises Invalid, with every problem."""
    given = [
        Given(each.question_id, each.text, each.choice, None if each.choices is None else tuple(each.choices))
        for each in answers
    ]
    problems = answer_problems(questions, given)
    if is_free:
        problems = [each for each in problems if each.code != "ANSWER_MISSING"]
    if problems:
        raise Invalid("; ".join(f"{each.path}: {each.message}" for each in problems), fields=tuple(problems))
    return json.encode(kept(questions, given)).decode() if given else None


def refuse(decision: Decision) -> None:
    """Raise what tells a person why they do not get in, if they do not."""
    if decision.lock == JoinLock.INVITE_ONLY:
        raise NotInvited(details={"reason": decision.lock})
    if decision.lock is not None:
        raise JoinClosed(CLOSED[decision.lock], details={"reason": decision.lock})
    if decision.verdict in _REFUSALS:
        raise _REFUSALS[decision.verdict]


@command("DELETE /events/{event_id}/members/me", "leaveEvent", allow=member, limit=EVENT_WRITE, line="event_id")
async def leave(ctx: Ctx, *, event_id: UUID) -> EventMemberView:
    """Give back one's place or one's turn in the queue, or take back one's request; whoever waits longest gets a freed place.

    Leaving twice changes nothing. Raises EventNotFound, MembershipNotFound, OwnerStays, EventIsCancelled.
    """
    event, own = await lock_seen_event(ctx, event_id)
    member_id = _movable(own)
    if _leads_on(MemberDeed.LEAVE, own) and is_left_to_do(ctx, event, Deed.LEAVE):
        await depart(ctx, event, own, MemberDeed.LEAVE)
        left = EventLeft if own.status in ATTENDING else EventWithdrawn
        ctx.record(left(event_id=event_id, user_id=ctx.user_id, member_id=member_id))
    return EventMemberView.ref(member_id)


@command("DELETE /events/{event_id}/members/{user_id}", "kickMember", allow=member, limit=EVENT_WRITE, line="event_id")
async def kick(
    ctx: Ctx, *, event_id: UUID, user_id: UUID, note: Annotated[str, Meta(max_length=500)] | None = None
) -> EventMemberView:
    """Remove somebody from an event; whoever waits longest gets a freed place.

    note: why, for the organisers.
    Raises EventNotFound, NotOrganiser, MembershipNotFound, OwnerStays, NotInEvent, EventIsCancelled.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.KICK)
    member_id, target = await member_of(ctx, event_id, user_id)
    if MEMBERSHIPS[MemberDeed.KICK][target.status] == Step.OUT:
        raise NotInEvent
    if _leads_on(MemberDeed.KICK, target) and is_left_to_do(ctx, event, Deed.KICK):
        await depart(ctx, event, target, MemberDeed.KICK, note=note)
        ctx.record(EventKicked(event_id=event_id, user_id=user_id, member_id=member_id))
    return EventMemberView.ref(member_id)


@command("PUT /events/{event_id}/members/{user_id}/role", "updateMemberRole", allow=member, limit=EVENT_WRITE)
async def update_member_role(ctx: Ctx, *, event_id: UUID, user_id: UUID, role: EventMemberRole) -> EventMemberView:
    """Make a member a moderator of the event, or a participant again.

    Raises EventNotFound, NotOrganiser, NotOwner, Invalid, MembershipNotFound, OwnerStays, NotSeated, EventIsCancelled,
    PlanLimitReached.
    """
    event, _ = await lock_event_for(ctx, event_id, Deed.CHANGE_ROLE)
    if role == EventMemberRole.OWNER:
        raise Invalid.field("role", "an event has one owner; make them MODERATOR or PARTICIPANT")
    member_id, target = await member_of(ctx, event_id, user_id)
    is_left_to_do(ctx, event, Deed.CHANGE_ROLE)
    if MEMBERSHIPS[MemberDeed.CHANGE_ROLE][target.status] == Step.OUT:
        raise NotSeated
    if target.role != role:
        if role == EventMemberRole.MODERATOR:
            await hold_moderators_to_plan(ctx, event_id)
        await queries.put_role(ctx, member_id=member_id, role=role)
        status = EventMemberStatus.JOINED
        put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.CHANGE_ROLE, status=status, role=role)
        ctx.record(EventRoleChanged(event_id=event_id, user_id=user_id, member_id=member_id, role=role))
    return EventMemberView.ref(member_id)


async def member_of(ctx: Ctx, event_id: UUID, user_id: UUID) -> tuple[UUID, Standing]:
    """Somebody's membership of a locked event, and how they stand to it. Raises MembershipNotFound, OwnerStays."""
    target = await queries.standing(ctx, event_id, user_id)
    if target is None:
        raise MembershipNotFound
    return _movable(target), target


def _movable(standing: Standing) -> UUID:
    """The membership of somebody who may be moved. Raises MembershipNotFound, OwnerStays."""
    if standing.member_id is None:
        raise MembershipNotFound
    if standing.role == EventMemberRole.OWNER:
        raise OwnerStays
    return standing.member_id


def _leads_on(deed: MemberDeed, standing: Standing) -> bool:
    """Whether a deed makes somebody something else than they are."""
    return isinstance(MEMBERSHIPS[deed][standing.status], EventMemberStatus)

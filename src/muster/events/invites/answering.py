"""The verbs of invitations for who is invited: accept and decline."""

from uuid import UUID

from muster.events.commands.attend import Answers, enter
from muster.events.commands.doors import Doors
from muster.events.commands.finding import is_left_to_do, lock_seen_event
from muster.events.invites.inviting import EventInvitationNotFound
from muster.events.limits import EVENT_WRITE
from muster.events.queries import Visit
from muster.events.rules import MEMBERSHIPS, Deed, MemberDeed, Step, Verdict
from muster.events.tables import EventMemberStatus
from muster.events.views import EventMemberView
from muster.events.waitlist.parties import Guests, party_of
from muster.events.waitlist.promotion import depart
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx


@command(
    "POST /events/{event_id}/invitation/acceptance",
    "acceptEventInvitation",
    allow=member,
    limit=EVENT_WRITE,
    line="event_id",
    answers=(200, 201),
)
async def accept(
    ctx: Ctx, *, event_id: UUID, answers: Answers | None = None, guests: Guests | None = None
) -> EventMemberView:
    """Come to an event that one is invited to, or take a place on its waitlist where it is full.

    Accepting twice is once. answers: to the join form, where the event has one; they may be left out. guests: who come
    along; all are seated together, or wait together.
    Raises EventNotFound, EventInvitationNotFound, JoinClosed, WasKicked, IsBanned, PartyTooLarge, Invalid.
    """
    visit = Visit(event_id=event_id, user_id=ctx.user_id)
    doors = await Doors.open(ctx.db, [visit])
    event, own = doors.seen(visit)
    party = party_of(guests)
    decision = doors.decide(event, own, ctx.now, way=MemberDeed.ACCEPT, party=party)
    if decision.verdict == Verdict.UNCHANGED and own.member_id is not None:
        return EventMemberView.ref(own.member_id)
    if decision.verdict == Verdict.NOT_INVITED:
        raise EventInvitationNotFound
    member_id = enter(ctx, doors, event, own, decision, party, way=MemberDeed.ACCEPT, answers=answers)
    return EventMemberView.ref(member_id, created=True)


@command(
    "POST /events/{event_id}/invitation/refusal",
    "declineEventInvitation",
    allow=member,
    limit=EVENT_WRITE,
    line="event_id",
)
async def decline(ctx: Ctx, *, event_id: UUID) -> EventMemberView:
    """Say no to an invitation. Who has a place keeps it: that is given back by `leaveEvent`. Declining twice is once.

    Raises EventNotFound, EventInvitationNotFound, EventIsCancelled.
    """
    event, own = await lock_seen_event(ctx, event_id)
    outcome = MEMBERSHIPS[MemberDeed.DECLINE][own.status]
    if own.member_id is None or outcome not in (EventMemberStatus.CANCELLED, Step.STAY):
        raise EventInvitationNotFound
    if outcome != Step.STAY and is_left_to_do(ctx, event, Deed.LEAVE):
        await depart(ctx, event, own, MemberDeed.DECLINE)
    return EventMemberView.ref(own.member_id)

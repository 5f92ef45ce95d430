"""The verbs of invitations for who runs an event: invite somebody or an address, and take it back.

Whom an invitation names is INVITED to the event; an address becomes somebody only when its letter is answered
(`mailed.py`). All of it happens under the event's lock, as everything does that lets people into it.
"""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.events import queries as events
from muster.events.commands.finding import is_left_to_do, lock_event_for
from muster.events.facts import EventInvitationRevoked, EventInvitationSent
from muster.events.invites import invited
from muster.events.invites.invited import Invitation
from muster.events.invites.tables import EventInvitationStatus
from muster.events.invites.views import EventInvitationView
from muster.events.joining.queries import put_change
from muster.events.limits import EVENT_INVITE, EVENT_WRITE
from muster.events.queries import Standing, Visit
from muster.events.rules import MEMBERSHIPS, Deed, MemberDeed, Step
from muster.events.tables import EventMemberStatus
from muster.identity.commands import Email, normal_email
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Invalid, NotFound, TooMany
from muster.profiles import queries as profiles
from muster.profiles.commands.people import PersonNotFound
from muster.tenancy import queries as tenancy
from muster.tenancy.tables import MemberStatus

MOST = 100
"""Invitations that one event tells people within `WITHIN`, whoever of its organisers sends them."""
WITHIN = timedelta(hours=1)
"""Nobody is told of one invitation twice within this time either."""
_KEPT_OUT = (EventMemberStatus.KICKED, EventMemberStatus.REJECTED)


class EventInvitationNotFound(NotFound):
    """There is no such invitation to this event, or it waits for no answer of yours."""

    code = "EVENT_INVITATION_NOT_FOUND"


class EventInvitationOver(Conflict):
    """This invitation was answered; who came by it leaves, or is removed."""

    code = "EVENT_INVITATION_OVER"


class InEventAlready(Conflict):
    """This person has a place in the event, or waits for one."""

    code = "IN_EVENT_ALREADY"


class PersonIsBanned(Conflict):
    """This person is banned from the event; take the ban back first."""

    code = "PERSON_IS_BANNED"


InvitedAddress = Annotated[Email, Meta(description="Of somebody who may be nobody here yet; never with `userId`.")]


@command(
    "POST /events/{event_id}/invitations",
    "inviteToEvent",
    allow=member,
    limit=EVENT_INVITE,
    line="event_id",
    answers=(200, 201),
)
async def invite(
    ctx: Ctx, *, event_id: UUID, user_id: UUID | None = None, email: InvitedAddress | None = None
) -> EventInvitationView:
    """Invite somebody of the community, or a mail address, whoever it is of; give one of the two.

    Inviting again tells them again, once an hour at most. Who was removed or rejected comes back by it. Whether an address
    has an account here makes no difference to the answer.
    Raises EventNotFound, NotOrganiser, NotPublished, EventOver, EventIsCancelled, Invalid, PersonNotFound, InEventAlready,
    PersonIsBanned, TooMany.
    """
    if (user_id is None) == (email is None):
        raise Invalid.field("userId", "give either a userId or an email")
    event, _ = await lock_event_for(ctx, event_id, MemberDeed.INVITE)
    is_left_to_do(ctx, event, Deed.INVITE)
    if user_id is not None:
        found = await invited.invitation_of_person(ctx, event_id, user_id)
        await _make_invited(ctx, event_id, user_id)
        return await _send(ctx, event_id, found, user_id=user_id)
    address = normal_email(email or "")
    found = await invited.invitation_of_address(ctx, event_id, address)
    return await _send(ctx, event_id, found, email=address)


async def _make_invited(ctx: Ctx, event_id: UUID, user_id: UUID) -> None:
    """Let somebody be INVITED to the locked event. Raises PersonNotFound, InEventAlready, PersonIsBanned, Invalid."""
    if user_id == ctx.user_id:
        raise Invalid.field("userId", "must be somebody else")
    target = await events.standing(ctx, event_id, user_id)
    # Whom a block stands between finds the other nowhere, so not here either.
    person = await profiles.standing(ctx, user_id)
    is_member = await tenancy.find_status(ctx, user_id) == MemberStatus.ACTIVE
    if target is None or person is None or not (is_member and person.known and person.open):
        raise PersonNotFound
    outcome = MEMBERSHIPS[MemberDeed.INVITE][target.status]
    if outcome == Step.BANNED:
        raise PersonIsBanned
    if outcome == EventMemberStatus.INVITED:
        await invited.put_invited(ctx, event_id, user_id)
        status = EventMemberStatus.INVITED
        put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.INVITE, status=status)
    elif target.status != EventMemberStatus.INVITED:
        raise InEventAlready


async def _send(
    ctx: Ctx, event_id: UUID, found: Invitation | None, *, user_id: UUID | None = None, email: str | None = None
) -> EventInvitationView:
    """Make an invitation, or open it again, and have it told unless it was within the hour. Raises TooMany."""
    is_told = found is not None and found.sent_at > ctx.now - WITHIN
    if not is_told:
        await _check_letters(ctx, event_id)
    if found is None:
        invitation_id = await invited.put_invitation(ctx, event_id, user_id=user_id, email=email)
    else:
        invitation_id = found.id
        if not (is_told and found.is_good(ctx.now)):
            await invited.renew_invitation(ctx, found, sent_at=found.sent_at if is_told else ctx.now)
    if not is_told:
        ctx.record(EventInvitationSent(event_id=event_id, invitation_id=invitation_id))
    return EventInvitationView.ref(invitation_id, created=found is None)


async def _check_letters(ctx: Ctx, event_id: UUID) -> None:
    # The event's lock lets nobody send one between this count and the new row.
    since = await invited.oldest_sent(ctx, event_id, MOST, ctx.now - WITHIN)
    if since is not None:
        says, bucket = f"An event sends {MOST} invitations an hour", "event.invitations"
        raise TooMany.past_share(says, since=since, within=WITHIN, now=ctx.now, count=MOST, most=MOST, bucket=bucket)


@command(
    "DELETE /events/{event_id}/invitations/{id}",
    "revokeEventInvitation",
    allow=member,
    limit=EVENT_WRITE,
    line="event_id",
)
async def uninvite(ctx: Ctx, *, event_id: UUID, id: UUID) -> EventInvitationView:
    """Take an invitation back; its letter is of no use any more. Twice is once.

    Who had been removed or rejected before is so again.
    Raises EventNotFound, NotOrganiser, EventInvitationNotFound, EventInvitationOver.
    """
    await lock_event_for(ctx, event_id, MemberDeed.UNINVITE)
    found = await invited.find_invitation(ctx.db, id)
    if found is None or found.event_id != event_id:
        raise EventInvitationNotFound
    if found.status == EventInvitationStatus.REVOKED:
        return EventInvitationView.ref(id)
    if found.status != EventInvitationStatus.PENDING:
        raise EventInvitationOver
    if found.email is None and found.user_id is not None:
        await _forget_invited(ctx, event_id, await events.standing(ctx, event_id, found.user_id))
    await invited.end_invitation(ctx, found, EventInvitationStatus.REVOKED)
    ctx.record(EventInvitationRevoked(event_id=event_id, invitation_id=id))
    return EventInvitationView.ref(id)


async def _forget_invited(ctx: Ctx, event_id: UUID, target: Standing | None) -> None:
    """Let somebody be what they were before they were invited."""
    if target is None or target.member_id is None or MEMBERSHIPS[MemberDeed.UNINVITE][target.status] != Step.BEFORE:
        return
    before = await invited.standing_before(ctx, event_id, target.user_id)
    status = before if before in _KEPT_OUT else EventMemberStatus.CANCELLED
    visit = Visit(event_id=event_id, user_id=target.user_id)
    await events.put_departed(ctx, visit, seats=0, held=0, now_is=status)
    put_change(ctx, event_id=event_id, user_id=target.user_id, deed=MemberDeed.UNINVITE, status=status)

"""Answering a letter of invitation: reading it, coming by it, declining it. Whoever answers may be nobody here yet.

Who has the letter has shown that its address is theirs, so they act as its account, and open it where there is none. They
come into the community by the door that everybody comes by, and then into the event by `rules.decide_join`; a letter leads
past neither.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.events import queries as events
from muster.events import rules
from muster.events.commands.attend import enter
from muster.events.commands.doors import Doors
from muster.events.facts import EventInvitationAnswered
from muster.events.invites import invited
from muster.events.invites.invited import Invitation
from muster.events.invites.notices import shown_to_invited
from muster.events.invites.tables import EventInvitationStatus
from muster.events.invites.tokens import read_event_invitation_token
from muster.events.letters import place_of
from muster.events.queries import LockedEvent, Standing, Visit
from muster.events.rules import ALONE, MEMBERSHIPS, JoinLock, MemberDeed, Verdict
from muster.events.tables import EventMemberStatus
from muster.events.waitlist.promotion import depart
from muster.identity.commands import LinkInvalid, NewPassword, PersonName, checked_password
from muster.identity.seals import LONGEST_TOKEN
from muster.kit.caller import Claim, TenantNotFound, TenantStatus, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.limits import AUTH
from muster.kit.views.results import Payload
from muster.tenancy import queries as tenancy
from muster.tenancy.commands.answering import NextStep, act_as_address, next_step
from muster.tenancy.commands.joining import InvitationNeeded, JoinOutcome
from muster.tenancy.commands.joining import join as join_community
from muster.tenancy.views import TenantView

Token = Annotated[
    str,
    Meta(
        max_length=LONGEST_TOKEN,
        examples=["0193b1f0a4c07d3e9a51c8f3a2b4d6e8.0193b1f0a4c07d3e9a51c8f3a2b4d6e8.kq3v"],
        description="From the link in the letter.",
    ),
]


class Arrival(StrEnum):
    """What becomes of who comes by a letter.

    SEATED: they have a place. WAITING: they stand on the waitlist. ASKED: the community decides first whether they join it;
    once it has let them in, the same letter leads into the event.
    """

    SEATED = "SEATED"
    WAITING = "WAITING"
    ASKED = "ASKED"


class EventInvitationSeen(Payload):
    """An invitation into an event as who has its letter reads it.

    title: what the event is called. starts_at: when it begins. timezone: on which clock it takes place. place: where, as
    far as everybody may know; empty for nothing. lock_reason: why nobody gets a place by it now, as of
    `Event.lockReason`; empty without any. next_step: what it takes to come.
    """

    tenant: TenantView
    title: str
    starts_at: datetime
    timezone: str
    place: str
    lock_reason: str
    next_step: NextStep


class EventArrival(Payload):
    """What became of who came by a letter of invitation."""

    tenant: TenantView
    event_id: UUID
    outcome: Arrival


@command("POST /event-invitations/reading", "readEventInvitation", allow=whoever, limit=AUTH)
async def read(ctx: Ctx, *, token: Token) -> EventInvitationSeen:
    """What an invitation into an event is about; nothing is used up.

    Raises LinkInvalid.
    """
    found, event = await _lock(ctx, token)
    shown = await shown_to_invited(ctx, event.id)
    if shown is None:
        raise LinkInvalid
    lock = rules.shut_by(MemberDeed.ACCEPT, event.terms, event.places, ctx.now)
    if lock is None and not event.places.has_room():
        lock = JoinLock.FULL
    return EventInvitationSeen(
        tenant=TenantView.ref(ctx.tenant_id),
        title=shown.title,
        starts_at=shown.starts_at,
        timezone=shown.timezone,
        place=place_of(shown) or "",
        lock_reason=lock or "",
        next_step=NextStep.JOIN if found.email is None else await next_step(ctx, found.email),
    )


async def _hash_new(
    services: Services, claim: Claim, *, token: str, name: str | None, password: str | None
) -> str | None:
    """The hash of an acceptable password, where one is given."""
    if password is None:
        return None
    tenant_id, invitation_id = _opened(services.settings.security.secrets, token)
    async with services.database.transaction(tenant_id) as tx:
        found = await invited.find_invitation(tx, invitation_id)
    if found is None or found.email is None:
        raise LinkInvalid
    return await checked_password(password, field="password", known=(name or "", found.email))


@command(
    "POST /event-invitations/acceptance", "acceptMailedEventInvitation", allow=whoever, limit=AUTH, prepare=_hash_new
)
async def accept(
    ctx: Ctx,
    *,
    token: Token,
    name: PersonName | None = None,
    password: NewPassword | None = None,
    prepared: str | None,
) -> EventArrival:
    """Come to an event by the letter of an invitation, as the account of the address that it was mailed to.

    The community is joined first, or asked, by its `joinPolicy`. `readEventInvitation` says what is needed.
    name: of a new account. password: of a new account, or of one whose address was never verified: everybody who is signed
    in to that is then signed out.
    Raises LinkInvalid, Invalid, EmailTaken, InvitationNeeded, SeatsTaken, MemberIsSuspended, WasRemoved, JoinClosed,
    WasKicked, IsBanned.
    """
    found = await _find(ctx, token)
    if found.email is not None:
        await act_as_address(ctx, found.email, name=name, hashed=prepared)
    elif found.user_id is not None:
        ctx.act_as(found.user_id)
    try:
        joining = await join_community(ctx, tenant_id=ctx.tenant_id)
    except TenantNotFound:
        # The letter names a community that strangers may not know of, so it is not denied here.
        raise InvitationNeeded from None
    outcome = Arrival.ASKED if joining.outcome == JoinOutcome.REQUESTED else await _come(ctx, found.id, found.event_id)
    return EventArrival(tenant=TenantView.ref(ctx.tenant_id), event_id=found.event_id, outcome=outcome)


@command("POST /event-invitations/refusal", "declineMailedEventInvitation", allow=whoever, limit=AUTH)
async def decline(ctx: Ctx, *, token: Token) -> None:
    """Say no to an invitation into an event, by its letter.

    Raises LinkInvalid.
    """
    found, event = await _lock(ctx, token)
    own = None if found.user_id is None else await events.standing(ctx, event.id, found.user_id)
    if own is not None and MEMBERSHIPS[MemberDeed.DECLINE][own.status] == EventMemberStatus.CANCELLED:
        ctx.act_as(own.user_id)
        await depart(ctx, event, own, MemberDeed.DECLINE)
    else:
        await invited.end_invitation(ctx, found, EventInvitationStatus.DECLINED)
        ctx.record(EventInvitationAnswered(event_id=event.id, user_id=None, accepted=False))


def _opened(secrets: tuple[str, ...], token: str) -> tuple[UUID, UUID]:
    """The community and the invitation of a token. Raises LinkInvalid."""
    found = read_event_invitation_token(secrets, token)
    if found is None:
        raise LinkInvalid
    return found


async def _find(ctx: Ctx, token: str) -> Invitation:
    """The good invitation of a token, in its community. Raises LinkInvalid."""
    tenant_id, invitation_id = _opened(ctx.settings.security.secrets, token)
    entrance = await tenancy.find_entrance(ctx.db, tenant_id)
    if entrance is None or entrance.status != TenantStatus.ACTIVE:
        raise LinkInvalid
    await ctx.enter(tenant_id)
    return await _good(ctx, invitation_id)


async def _good(ctx: Ctx, invitation_id: UUID) -> Invitation:
    found = await invited.find_invitation(ctx.db, invitation_id)
    if found is None or not found.is_good(ctx.now):
        raise LinkInvalid
    return found


async def _lock(ctx: Ctx, token: str) -> tuple[Invitation, LockedEvent]:
    """The same, with its event locked, so that nobody answers it or takes it back meanwhile."""
    found = await _find(ctx, token)
    event = await events.lock_event(ctx, found.event_id)
    if event is None:
        raise LinkInvalid
    return await _good(ctx, found.id), event


async def _come(ctx: Ctx, invitation_id: UUID, event_id: UUID) -> Arrival:
    """Let the acting person, who is a member by now, into the event of an invitation."""
    visit = Visit(event_id=event_id, user_id=ctx.user_id)
    doors = await Doors.open(ctx.db, [visit])
    # Asked once more under the event's lock: it may have been taken back, or answered, meanwhile.
    found = await _good(ctx, invitation_id)
    event, own = doors.events.get(event_id), doors.standings.get(visit)
    if event is None or own is None or await shown_to_invited(ctx, event_id) is None:
        raise LinkInvalid
    if found.email is not None and await _counts(ctx, found, own):
        own.status = EventMemberStatus.INVITED
    decision = doors.decide(event, own, ctx.now, way=MemberDeed.ACCEPT)
    if decision.verdict == Verdict.NOT_INVITED:
        raise LinkInvalid
    if decision.verdict != Verdict.UNCHANGED:
        enter(ctx, doors, event, own, decision, ALONE, way=MemberDeed.ACCEPT)
    if found.email is not None:
        await invited.end_invitation(ctx, found, EventInvitationStatus.ACCEPTED, user_id=ctx.user_id)
    return Arrival.SEATED if own.status == EventMemberStatus.JOINED else Arrival.WAITING


async def _counts(ctx: Ctx, found: Invitation, own: Standing) -> bool:
    """Whether a letter makes who has it INVITED. One from before they were removed or rejected does not bring them back."""
    if MEMBERSHIPS[MemberDeed.INVITE][own.status] != EventMemberStatus.INVITED:
        return False
    return not await invited.was_turned_away_since(ctx, found.event_id, own.user_id, found.sent_at)

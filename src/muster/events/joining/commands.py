"""The verbs of joining for who runs an event: requests, bans, notes, and closing it by hand."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.chat import commands as chat
from muster.events import queries as events
from muster.events import rules
from muster.events.commands.attend import MembershipNotFound, OwnerStays, member_of, refuse
from muster.events.commands.finding import is_left_to_do, lock_event_for
from muster.events.facts import EventApproved, EventBanned, EventRejected, EventUnbanned, EventUpdated
from muster.events.joining import queries
from muster.events.limits import EVENT_WRITE
from muster.events.rules import MEMBERSHIPS, Deed, MemberDeed, Step, Verdict
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.events.views import EventMemberView, EventView
from muster.events.waitlist.promotion import depart, promote
from muster.events.waitlist.queries import put_places
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict
from muster.tenancy import queries as tenancy


class NotAsked(Conflict):
    """This person has no request that waits for an answer."""

    code = "NOT_ASKED"


class NotBanned(Conflict):
    """This person is not banned from the event."""

    code = "NOT_BANNED"


Told = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; they are told.")]
Shown = Annotated[
    str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; who sees the event reads it.")
]
Kept = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why, for the organisers alone.")]


@command(
    "POST /events/{event_id}/members/{user_id}/approval",
    "approveEventRequest",
    allow=member,
    limit=EVENT_WRITE,
    line="event_id",
)
async def approve(ctx: Ctx, *, event_id: UUID, user_id: UUID) -> EventMemberView:
    """Let in who asked: to a place, or, when the event is full, to the waitlist, where they stand by when they asked.

    Approving twice changes nothing.
    Raises EventNotFound, NotOrganiser, MembershipNotFound, OwnerStays, NotAsked, JoinClosed, PartyTooLarge.
    """
    event, _ = await lock_event_for(ctx, event_id, MemberDeed.APPROVE)
    member_id, target = await member_of(ctx, event_id, user_id)
    places, party = replace(event.places, smallest_waiting=target.smallest_waiting), target.party
    decision = rules.decide_join(
        event.terms,
        places,
        target.status,
        ctx.now,
        way=MemberDeed.APPROVE,
        party=party.size,
        is_next=target.asked_before(target.first_waiting),
    )
    if decision.verdict == Verdict.NOT_ASKED:
        raise NotAsked
    refuse(decision)
    if decision.verdict == Verdict.UNCHANGED:
        return EventMemberView.ref(member_id)
    is_seated = decision.verdict == Verdict.SEATED
    status = EventMemberStatus.JOINED if is_seated else EventMemberStatus.WAITLIST
    queries.put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.APPROVE, status=status)
    ctx.record(EventApproved(event_id=event_id, user_id=user_id, member_id=member_id, is_seated=is_seated))
    if is_seated:
        await put_places(ctx, event_id, [member_id], seats=party.size)
        chat.seat(ctx, room_id=event_id, user_id=user_id)
    else:
        await queries.let_wait(ctx, member_id=member_id)
    return EventMemberView.ref(member_id)


@command(
    "POST /events/{event_id}/members/{user_id}/rejection",
    "rejectEventRequest",
    allow=member,
    limit=EVENT_WRITE,
    line="event_id",
)
async def reject(ctx: Ctx, *, event_id: UUID, user_id: UUID, reason: Told | None = None) -> EventMemberView:
    """Say no to who asked. Whether they may ask again is the event's `mayAskAgain`.

    Rejecting twice changes nothing, not even the reason.
    Raises EventNotFound, NotOrganiser, MembershipNotFound, OwnerStays, NotAsked, EventIsCancelled.
    """
    event, _ = await lock_event_for(ctx, event_id, MemberDeed.REJECT)
    member_id, target = await member_of(ctx, event_id, user_id)
    outcome = MEMBERSHIPS[MemberDeed.REJECT][target.status]
    if outcome == Step.NOT_ASKED:
        raise NotAsked
    if outcome != Step.STAY and is_left_to_do(ctx, event, Deed.KICK):
        await queries.reject(ctx, member_id=member_id, reason=reason)
        status = EventMemberStatus.REJECTED
        queries.put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.REJECT, status=status, note=reason)
        ctx.record(EventRejected(event_id=event_id, user_id=user_id, member_id=member_id))
    return EventMemberView.ref(member_id)


@command("PUT /events/{event_id}/bans/{user_id}", "banMember", allow=member, limit=EVENT_WRITE, line="event_id")
async def ban(ctx: Ctx, *, event_id: UUID, user_id: UUID, note: Kept | None = None) -> EventMemberView:
    """Keep somebody out of an event by every way, be they in it or not; whoever waits longest gets a freed place.

    Banning twice changes nothing.
    Raises EventNotFound, NotOrganiser, MembershipNotFound for who is not of this community, OwnerStays, EventIsCancelled.
    """
    event, _ = await lock_event_for(ctx, event_id, MemberDeed.BAN)
    target = await events.standing(ctx, event_id, user_id)
    if target is None or (target.member_id is None and await tenancy.find_status(ctx, user_id) is None):
        raise MembershipNotFound
    if target.role == EventMemberRole.OWNER:
        raise OwnerStays
    member_id = target.member_id
    if is_left_to_do(ctx, event, Deed.KICK) and target.status != EventMemberStatus.BANNED:
        if member_id is None:
            # Who joins waits for the event's lock, so nobody comes in between.
            member_id = await queries.ban_stranger(ctx, event_id, user_id, note=note)
        else:
            await depart(ctx, event, target, MemberDeed.BAN, note=note)
        ctx.record(EventBanned(event_id=event_id, user_id=user_id, member_id=member_id))
    assert member_id is not None
    return EventMemberView.ref(member_id)


@command("DELETE /events/{event_id}/bans/{user_id}", "unbanMember", allow=member, limit=EVENT_WRITE, line="event_id")
async def unban(ctx: Ctx, *, event_id: UUID, user_id: UUID) -> EventMemberView:
    """Take a ban back. They are as who was rejected: they may ask again where the event lets them, or be invited.

    Raises EventNotFound, NotOrganiser, MembershipNotFound, OwnerStays, NotBanned, EventIsCancelled.
    """
    event, _ = await lock_event_for(ctx, event_id, MemberDeed.UNBAN)
    member_id, target = await member_of(ctx, event_id, user_id)
    outcome = MEMBERSHIPS[MemberDeed.UNBAN][target.status]
    if outcome == Step.NOT_BANNED:
        raise NotBanned
    if outcome != Step.STAY and is_left_to_do(ctx, event, Deed.KICK):
        await queries.reject(ctx, member_id=member_id)
        status = EventMemberStatus.REJECTED
        queries.put_change(ctx, event_id=event_id, user_id=user_id, deed=MemberDeed.UNBAN, status=status)
        ctx.record(EventUnbanned(event_id=event_id, user_id=user_id, member_id=member_id))
    return EventMemberView.ref(member_id)


@command("PUT /events/{event_id}/members/{user_id}/note", "noteOnMember", allow=member, limit=EVENT_WRITE)
async def note_on_member(ctx: Ctx, *, event_id: UUID, user_id: UUID, note: Kept | None = None) -> EventMemberView:
    """Keep a note on somebody, which the organisers alone read. Without one, what was there goes.

    Raises EventNotFound, NotOrganiser, MembershipNotFound, OwnerStays.
    """
    await lock_event_for(ctx, event_id, MemberDeed.KICK)
    member_id, _ = await member_of(ctx, event_id, user_id)
    await queries.put_note(ctx, member_id=member_id, note=note)
    return EventMemberView.ref(member_id)


@command("PUT /events/{id}/closure", "closeEventJoin", allow=member, limit=EVENT_WRITE)
async def close(ctx: Ctx, *, id: UUID, reason: Shown | None = None) -> EventView:
    """Let nobody more into an event, by no way, until it is opened again. Who is in stays; who waits, waits.

    Closing twice changes nothing, not even the reason.
    Raises EventNotFound, NotOrganiser, EventIsCancelled.
    """
    event, _ = await lock_event_for(ctx, id, Deed.UPDATE)
    if is_left_to_do(ctx, event, Deed.UPDATE) and event.join_closed_at is None:
        await queries.put_closed(ctx, id, is_closed=True, reason=reason)
        ctx.record(EventUpdated(event_id=id, user_id=ctx.user_id, changed=["joinClosedAt", "joinCloseReason"]))
    return EventView.ref(id)


@command("DELETE /events/{id}/closure", "reopenEventJoin", allow=member, limit=EVENT_WRITE)
async def reopen(ctx: Ctx, *, id: UUID) -> EventView:
    """Let people into an event again; who waits gets the places that are free.

    Raises EventNotFound, NotOrganiser, EventIsCancelled.
    """
    event, _ = await lock_event_for(ctx, id, Deed.UPDATE)
    if is_left_to_do(ctx, event, Deed.UPDATE) and event.join_closed_at is not None:
        await queries.put_closed(ctx, id, is_closed=False)
        event.join_closed_at = None
        await promote(ctx, event)
        ctx.record(EventUpdated(event_id=id, user_id=ctx.user_id, changed=["joinClosedAt", "joinCloseReason"]))
    return EventView.ref(id)

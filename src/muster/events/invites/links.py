"""The verbs of links: make, change and revoke them, look where one leads, and come by it.

A link stands for an invitation of nobody in particular: it opens events by invitation and on request. It goes by the one
rule set of `rules.decide_join`, so it leads past no ban, no full house (who comes then waits) and no shut door.
"""

import secrets
import string
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from muster.events import rules
from muster.events.commands.attend import Answers, enter
from muster.events.commands.doors import Doors
from muster.events.commands.finding import lock_event_for
from muster.events.facts import EventFact
from muster.events.invites.queries import (
    Link,
    edit_link,
    link_by_code,
    link_of,
    put_link,
    put_use,
    revoke_link,
)
from muster.events.invites.views import EventInviteLinkView
from muster.events.joining.queries import FormRow, form_of
from muster.events.joining.views import EventJoinFormView
from muster.events.limits import EVENT_WRITE
from muster.events.queries import Visit, look_at_event
from muster.events.rules import JoinLock, MemberDeed, Verdict
from muster.events.tables import EventStatus
from muster.events.views import EventMemberView, EventView
from muster.events.waitlist.parties import Guests, party_of
from muster.kit.arguments import Input, Instant
from muster.kit.caller import anyone, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, NotFound
from muster.kit.limits import Rule, limit
from muster.kit.views.results import Payload

BY_LINK = limit("event.link", Rule(30, 60), meaning="following links into events", without_store="closed")

# Without the letters and digits that are taken for each other. 10 of 58 are 58 bits: nobody guesses one.
_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0OIl")))
_LENGTH = 10

Code = Annotated[str, Meta(min_length=1, max_length=40, examples=["h8KqZ2mWvR"], description="What the link holds.")]
Label = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S", description="What you call it; plain text.")]
MaxUses = Annotated[int, Meta(ge=1, le=99_999, description="How many people may come by it; null is any number.")]
Expiry = Annotated[Instant, Meta(description="From when on nobody comes by it; null is never.")]


class LinkMade(EventFact):
    """Somebody made a link into an event."""

    kind: ClassVar[str] = "event.link_made"
    link_id: UUID


class LinkRevoked(EventFact):
    """A link into an event is of no use any more."""

    kind: ClassVar[str] = "event.link_revoked"
    link_id: UUID


class EventLinkInvalid(NotFound):
    """This link leads nowhere: it was never made, is revoked, used up, or has expired; ask for a new one."""

    code = "EVENT_LINK_INVALID"


class EventLinkNotFound(NotFound):
    """This event has no such link."""

    code = "EVENT_LINK_NOT_FOUND"


class CreateEventInviteLinkInput(Input):
    """What a link is good for."""

    label: Label | None = None
    max_uses: MaxUses | None = None
    expires_at: Expiry | None = None


class UpdateEventInviteLinkInput(Input):
    """What changes of a link. What is absent stays; what is null is cleared."""

    label: Label | UnsetType | None = UNSET
    max_uses: MaxUses | UnsetType | None = UNSET
    expires_at: Expiry | UnsetType | None = UNSET


class InviteLinkSeen(Payload):
    """Where a link leads, as who has it may know.

    event: as anybody sees it who may come. lock_reason: why nobody gets a place by it now, as of `Event.lockReason`; empty without any.
    join_form: what the event asks of who comes; null without anything.
    """

    event: EventView
    lock_reason: str
    join_form: EventJoinFormView | None


@command("POST /events/{event_id}/links", "createEventInviteLink", allow=member, limit=EVENT_WRITE, answers=(201,))
async def create_link(ctx: Ctx, *, event_id: UUID, input: CreateEventInviteLinkInput) -> EventInviteLinkView:
    """Make a link by which people come into an event.

    Raises EventNotFound, NotOrganiser, Invalid.
    """
    await lock_event_for(ctx, event_id, MemberDeed.INVITE)
    _check(ctx, input)
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    link_id = await put_link(
        ctx, event_id, code, label=input.label, max_uses=input.max_uses, expires_at=input.expires_at
    )
    ctx.record(LinkMade(event_id=event_id, link_id=link_id))
    return EventInviteLinkView.ref(link_id, created=True)


@command("PATCH /events/{event_id}/links/{id}", "updateEventInviteLink", allow=member, limit=EVENT_WRITE)
async def update_link(ctx: Ctx, *, event_id: UUID, id: UUID, input: UpdateEventInviteLinkInput) -> EventInviteLinkView:
    """Change what a link is called, and how long and for how many it is good. A revoked one stays so.

    Raises EventNotFound, NotOrganiser, EventLinkNotFound, Invalid.
    """
    # Who comes by the link waits for the event's lock too, so no use is counted between this question and the change.
    link = await _lock(ctx, event_id, id)
    _check(ctx, input)
    if input.max_uses is not UNSET:
        if input.max_uses is not None and input.max_uses < link.uses:
            raise Invalid.field("input.maxUses", f"{link.uses} people have come by it already")
        link.max_uses = input.max_uses
    link.label = link.label if input.label is UNSET else input.label
    link.expires_at = link.expires_at if input.expires_at is UNSET else input.expires_at
    await edit_link(ctx, link)
    return EventInviteLinkView.ref(id)


@command("DELETE /events/{event_id}/links/{id}", "revokeEventInviteLink", allow=member, limit=EVENT_WRITE)
async def revoke(ctx: Ctx, *, event_id: UUID, id: UUID) -> EventInviteLinkView:
    """End a link; who came by it stays. Twice is once.

    Raises EventNotFound, NotOrganiser, EventLinkNotFound.
    """
    link = await _lock(ctx, event_id, id)
    if link.revoked_at is None:
        await revoke_link(ctx, id)
        ctx.record(LinkRevoked(event_id=event_id, link_id=id))
    return EventInviteLinkView.ref(id)


@command("POST /event-links/{code}/reading", "validateInviteLink", allow=anyone, limit=BY_LINK)
async def read(ctx: Ctx, *, code: Code) -> InviteLinkSeen:
    """Where a link leads; nothing is used up. Whatever is wrong with a link, the answer is the same.

    Raises EventLinkInvalid.
    """
    link = await link_by_code(ctx, code, ctx.actor.user_id)
    event = None if link is None else await look_at_event(ctx, link.event_id)
    if link is None or event is None or not link.is_good(ctx.now) or event.status == EventStatus.DRAFT:
        raise EventLinkInvalid
    lock = rules.shut_by(MemberDeed.LINK, event.terms, event.places, ctx.now)
    if lock is None and not event.places.has_room():
        lock = JoinLock.FULL
    form = await form_of(ctx, event.id) if event.has_join_form else FormRow()
    asks = None if form.form_id is None else EventJoinFormView.ref(form.form_id)
    return InviteLinkSeen(event=EventView.ref(event.id), lock_reason=lock or "", join_form=asks)


@command("POST /event-links/{code}/members", "joinByInviteLink", allow=member, limit=BY_LINK, answers=(200, 201))
async def join_by_link(
    ctx: Ctx, *, code: Code, answers: Answers | None = None, guests: Guests | None = None
) -> EventMemberView:
    """Come into an event by a link, or take a place on its waitlist where it is full.

    Who is in already uses up nothing. answers: to the join form, where the event has one. guests: who come along; all
    are seated together, or wait together.
    Raises EventLinkInvalid, JoinClosed, WasKicked, WasRejected, IsBanned, PartyTooLarge, Invalid.
    """
    found = await link_by_code(ctx, code, ctx.user_id)
    if found is None:
        raise EventLinkInvalid
    visit = Visit(event_id=found.event_id, user_id=ctx.user_id)
    doors = await Doors.open(ctx.db, [visit])
    # Asked once more under the event's lock: of two who come by a link's last use at once, the second finds it used up.
    link = await link_by_code(ctx, code, ctx.user_id)
    event, own = doors.events.get(visit.event_id), doors.standings.get(visit)
    if link is None or event is None or own is None or event.status == EventStatus.DRAFT:
        raise EventLinkInvalid
    party = party_of(guests)
    decision = doors.decide(event, own, ctx.now, way=MemberDeed.LINK, party=party)
    if decision.verdict == Verdict.UNCHANGED and own.member_id is not None:
        return EventMemberView.ref(own.member_id)
    if not link.is_good(ctx.now):
        raise EventLinkInvalid
    member_id = enter(ctx, doors, event, own, decision, party, way=MemberDeed.LINK, answers=answers)
    if not link.was_used:
        await put_use(ctx, link.id, ctx.user_id)
    return EventMemberView.ref(member_id, created=True)


async def _lock(ctx: Ctx, event_id: UUID, link_id: UUID) -> Link:
    """A link under the lock of its event, for who runs that. Raises EventNotFound, NotOrganiser, EventLinkNotFound."""
    await lock_event_for(ctx, event_id, MemberDeed.INVITE)
    link = await link_of(ctx, event_id, link_id)
    if link is None:
        raise EventLinkNotFound
    return link


def _check(ctx: Ctx, input: CreateEventInviteLinkInput | UpdateEventInviteLinkInput) -> None:
    """Raise Invalid for an end that has passed."""
    if input.expires_at is not UNSET and input.expires_at is not None and input.expires_at <= ctx.now:
        raise Invalid.field("input.expiresAt", "must lie ahead")

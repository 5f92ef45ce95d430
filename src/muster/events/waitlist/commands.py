"""The verbs of the waitlist: take an offered place, bring other guests, and have somebody promoted.

Who declines an offer leaves (`leaveEvent`): the turn is given up, and the place goes to who is next.
"""

from dataclasses import replace
from uuid import UUID

from muster.events import rules
from muster.events.commands.attend import MembershipNotFound, PartyTooLarge, refuse
from muster.events.commands.finding import is_left_to_do, lock_event_for, lock_seen_event
from muster.events.limits import EVENT_WRITE
from muster.events.queries import LockedEvent, Standing, standing
from muster.events.rules import ATTENDING, Decision, Deed, MemberDeed, Verdict
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.events.views import EventMemberView
from muster.events.waitlist.parties import Guests, party_of
from muster.events.waitlist.promotion import promote, seat
from muster.events.waitlist.queries import Waiting, put_party
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict


class NoPlaceOffered(Conflict):
    """No place is offered to you now; whoever is first in the queue is offered the next one."""

    code = "NO_PLACE_OFFERED"


class PlaceOfferLapsed(Conflict):
    """The time to take this place has passed, and your turn with it; join again to queue up anew."""

    code = "PLACE_OFFER_LAPSED"


class NotWaiting(Conflict):
    """Only who stands in the queue can be promoted from it."""

    code = "NOT_WAITING"


class EventFull(Conflict):
    """There are not as many free places as this party has heads; make room first."""

    code = "EVENT_FULL"


@command("POST /events/{event_id}/members/me/offer", "acceptOffer", allow=member, limit=EVENT_WRITE, line="event_id")
async def accept_offer(ctx: Ctx, *, event_id: UUID) -> EventMemberView:
    """Take the place that is offered to one, with one's guests. Who does not want it leaves the event.

    Twice is once. Raises EventNotFound, MembershipNotFound, NoPlaceOffered, PlaceOfferLapsed, JoinClosed.
    """
    event, own = await lock_seen_event(ctx, event_id)
    if own.member_id is None:
        raise MembershipNotFound
    if own.status == EventMemberStatus.JOINED:
        return EventMemberView.ref(own.member_id)
    if own.offer_expires_at is None:
        raise NoPlaceOffered
    if own.offer_expires_at <= ctx.now:
        raise PlaceOfferLapsed
    # The places are held, so nothing but a lock of the event can be in the way.
    lock = rules.shut_by(MemberDeed.PROMOTE, event.terms, event.places, ctx.now)
    refuse(Decision(Verdict.SEATED if lock is None else Verdict.CLOSED, lock))
    await seat(ctx, event, [_waiting(own)], were_held=own.party.size, of_itself=False)
    return EventMemberView.ref(own.member_id)


@command("POST /events/{event_id}/members/{user_id}/promotion", "promoteFromWaitlist", allow=member, limit=EVENT_WRITE)
async def promote_from_waitlist(ctx: Ctx, *, event_id: UUID, user_id: UUID) -> EventMemberView:
    """Give somebody who waits a free place, wherever they stand in the queue; the history says who chose them.

    Twice is once. Raises EventNotFound, NotOrganiser, MembershipNotFound, NotWaiting, EventFull, JoinClosed,
    PartyTooLarge.
    """
    event, _ = await lock_event_for(ctx, event_id, MemberDeed.PROMOTE)
    target = await standing(ctx, event_id, user_id)
    if target is None or target.member_id is None:
        raise MembershipNotFound
    if target.status not in ATTENDING:
        raise NotWaiting
    held = target.party.size if target.offer_expires_at is not None else 0
    places = replace(event.places, held=event.held_count - held)
    way, party = MemberDeed.PROMOTE, target.party.size
    decision = rules.decide_join(event.terms, places, target.status, ctx.now, way=way, party=party)
    refuse(decision)
    if decision.verdict == Verdict.SEATED:
        await seat(ctx, event, [_waiting(target)], were_held=held, chosen_by_id=ctx.user_id, of_itself=False)
    elif target.status == EventMemberStatus.WAITLIST:
        raise EventFull
    return EventMemberView.ref(target.member_id)


@command("PUT /events/{event_id}/members/me/guests", "bringGuests", allow=member, limit=EVENT_WRITE, line="event_id")
async def bring_guests(ctx: Ctx, *, event_id: UUID, guests: Guests) -> EventMemberView:
    """Say anew who comes along. Who has a place gets more where they are free and nobody waits for them; who waits keeps
    their turn, and waits until all fit. Places given back go to who wait.

    guests: all of them; none is to come alone.
    Raises EventNotFound, MembershipNotFound, EventIsCancelled, JoinClosed, EventFull, PartyTooLarge.
    """
    event, own = await lock_seen_event(ctx, event_id)
    if own.member_id is None or own.status not in ATTENDING:
        raise MembershipNotFound
    is_left_to_do(ctx, event, Deed.LEAVE)
    party = party_of(guests)
    more = party.size - own.party.size
    if more > 0:
        _check_room(ctx, event, own, more)
    is_seated, is_offered = own.status == EventMemberStatus.JOINED, own.offer_expires_at is not None
    seats, held = more if is_seated else 0, more if is_offered else 0
    await put_party(ctx, event_id, own.member_id, party, seats=seats, held=held)
    event.joined_count += seats
    event.held_count += held
    # Also for who waits: a party that grows smaller may fit now.
    if more < 0:
        await promote(ctx, event)
    return EventMemberView.ref(own.member_id)


def _check_room(ctx: Ctx, event: LockedEvent, own: Standing, more: int) -> None:
    """Raise unless so many more may come under a name: they come in as anybody does whom the event knows."""
    lock = rules.shut_by(MemberDeed.ACCEPT, event.terms, event.places, ctx.now)
    refuse(Decision(Verdict.SEATED if lock is None else Verdict.CLOSED, lock))
    takes_place = own.status == EventMemberStatus.JOINED or own.offer_expires_at is not None
    places = replace(event.places, smallest_waiting=own.smallest_waiting)
    # The owner's own places are theirs, so that all of an event may be one party.
    if own.role != EventMemberRole.OWNER and not places.ever_seats(own.party.size + more):
        raise PartyTooLarge
    if takes_place and not places.seats(more):
        raise EventFull


def _waiting(own: Standing) -> Waiting:
    """Somebody's party, as the queue knows it. Raises MembershipNotFound."""
    if own.member_id is None:
        raise MembershipNotFound
    return Waiting(id=own.member_id, user_id=own.user_id, party_size=own.party.size)

"""What can be read of who takes part in an event."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, case, func, or_, select

from muster.events.predicates import membership_visible, note_visible, reason_visible, runs
from muster.events.tables import EventMember, EventMemberRole, EventMemberStatus
from muster.events.views.event import EventView
from muster.identity.views import UserView
from muster.kit.caller import anyone, member
from muster.kit.db.tables import Json, once_more
from muster.kit.views.paging import ascending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, only_if, sql
from muster.notifications.views import NotificationSubject


def waitlist_position(membership: type[EventMember], _viewer: Viewer) -> ColumnElement[int | None]:
    """One more than the number of people ahead in the queue; NULL for who does not wait."""
    ahead: Any = once_more(EventMember)
    queue = select(func.nullif(func.count(), 0)).where(
        ahead.event_id == membership.event_id, ahead.queue_number <= membership.queue_number
    )
    return queue.scalar_subquery()


def is_own(membership: type[EventMember], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own membership."""
    return membership.user_id == viewer.user_id


def guest_names(membership: type[EventMember], viewer: Viewer) -> ColumnElement[list[str] | None]:
    """The names of a party's guests, for the person who brings them and for who runs the event."""
    names = func.string_to_array(membership.guest_names, "\n", type_=ARRAY(Text()))
    return case((or_(is_own(membership, viewer), runs(membership.event_id, viewer)), names))


class EventMemberView(View, of=EventMember):
    """A person's membership of an event.

    asked_at: when they last asked, joined, or were asked. joined_at: when they got their place; null for who never had
    one. waitlist_position: in the queue, from 1; null for who does not wait. answers: to what the event asked,
    objects with `questionId`, `label`, `kind`, and `text`, `choice` or `choices`. reject_reason: what they were told.
    Both are for them and the organisers; null for others. note: the organisers' own; null for others.
    party_size: heads under this name, guests among them. guest_names: of the guests, for the person and the organisers,
    empty for who was not named; null without any. offer_expires_at: until when a place is held for who waits; null when
    none is offered.
    """

    visible = membership_visible
    within = "event"
    filters = {"status": equals(EventMember.status)}
    orders = {"ASKED": ascending(EventMember.asked_at)}
    example = {"answers": None, "rejectReason": None, "note": None}

    id: UUID
    status: EventMemberStatus
    role: EventMemberRole
    asked_at: datetime
    joined_at: datetime | None
    answers: Json | None = only_if(reason_visible)
    reject_reason: str | None = only_if(reason_visible)
    note: str | None = only_if(note_visible)
    waitlist_position: int | None = sql(waitlist_position)
    party_size: int
    guest_names: list[str] | None = sql(guest_names)
    offer_expires_at: datetime | None
    user: UserView = one("user_id")
    event: EventView | None = one("event_id")


NotificationSubject.add(EventView, EventMemberView)


@query("GET /events/{event_id}/members", "eventMembers", allow=anyone, stale=True)
def event_members(event_id: UUID) -> Page[EventMemberView] | None:
    """Who takes part in an event; null when the caller may not see the event."""


@query("GET /events/{event_id}/members/me", "myMembershipForEvent", allow=member, where=is_own)
def my_membership_for_event(event_id: UUID) -> EventMemberView | None:
    """The caller's own membership of an event."""


@query("GET /events/{event_id}/members/{user_id}", "eventMember", allow=anyone)
def event_member(event_id: UUID, user_id: UUID) -> EventMemberView | None:
    """One person's membership of an event."""

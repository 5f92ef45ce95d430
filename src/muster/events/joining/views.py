"""What can be read of joining: the history of a membership, how many are what, and one's own memberships."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select

from muster.events.joining.tables import EventJoinForm, EventMemberChange
from muster.events.predicates import event_visible, runs
from muster.events.rules import MemberDeed
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus
from muster.events.views import EventMemberView, EventView
from muster.events.views.member import is_own
from muster.identity.views import UserView
from muster.kit.caller import anyone, member
from muster.kit.db.tables import Json, once_more
from muster.kit.views.paging import ascending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, sql


def change_visible(change: type[EventMemberChange], viewer: Viewer) -> ColumnElement[bool]:
    """What was done with memberships is for who runs the event."""
    return runs(change.event_id, viewer)


class EventMemberChangeView(View, of=EventMemberChange):
    """What was once done with somebody's membership of an event, for its organisers.

    deed: what was done. status: what they were from then on. role: the same. at: when. note: why, for the organisers.
    actor: who did it; null where it followed of itself, as a promotion does.
    """

    visible = change_visible
    within = "event"
    orders = {"HAPPENED": ascending(EventMemberChange.at)}
    example = {"note": "Spoke out of turn"}

    id: UUID
    deed: MemberDeed
    status: EventMemberStatus
    role: EventMemberRole
    at: datetime
    note: str | None
    actor: UserView | None = one("actor_id")
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/members/{user_id}/changes", "eventMemberChanges", allow=member)
def event_member_changes(event_id: UUID, user_id: UUID) -> Page[EventMemberChangeView] | None:
    """What became of a membership, the oldest first; empty for who does not run the event, null without the event."""


def _number(status: EventMemberStatus) -> Any:
    """The field that tells how many are of a standing: of who has a place to all, of others to who runs the event."""

    def number(event: type[Event], viewer: Viewer) -> ColumnElement[int | None]:
        inside = once_more(EventMember)
        there = select(func.count()).where(inside.event_id == event.id, inside.status == status.value)
        counted: ColumnElement[int | None] = there.scalar_subquery()
        return counted if status == EventMemberStatus.JOINED else case((runs(event.id, viewer), counted))

    return sql(number)


class EventMemberStatsView(View, of=Event):
    """How many people are what to an event; all but who has a place for its organisers, and null for others.

    joined: have a place. pending: asked and wait for an answer. invited: have not answered. waitlist: wait for a place.
    rejected: were told no. banned: are kept out. left: gave their place or turn back. kicked: were removed.
    cancelled: took their request back, or declined.
    """

    visible = event_visible

    id: UUID
    joined: int = _number(EventMemberStatus.JOINED)
    pending: int | None = _number(EventMemberStatus.PENDING)
    invited: int | None = _number(EventMemberStatus.INVITED)
    waitlist: int | None = _number(EventMemberStatus.WAITLIST)
    rejected: int | None = _number(EventMemberStatus.REJECTED)
    banned: int | None = _number(EventMemberStatus.BANNED)
    left: int | None = _number(EventMemberStatus.LEFT)
    kicked: int | None = _number(EventMemberStatus.KICKED)
    cancelled: int | None = _number(EventMemberStatus.CANCELLED)


@query("GET /events/{id}/member-stats", "eventMemberStats", allow=anyone)
def event_member_stats(id: UUID) -> EventMemberStatsView | None:
    """How many people are what to an event."""


@query("GET /me/event-memberships", "myEventMemberships", allow=member, where=is_own)
def my_event_memberships() -> Page[EventMemberView]:
    """What the caller is to events, and was: their requests among them; of the events that they see."""


class EventJoinFormView(View, of=EventJoinForm):
    """What an event asks of who wants in.

    version: counts its changes; give it to `updateEventJoinForm`. questions: objects with `id`, `kind` (`TEXT`,
    `SINGLE_CHOICE` or `MULTI_CHOICE`), `label`, `help`, `required`, `options` and `maxLength`, in their order.
    """

    within = "event"
    brief = ("id", "questions")
    example = {
        "questions": [
            {
                "id": "0198c9a2-7c1e-7d43-a2f5-6f0c8f6b9e11",
                "kind": "SINGLE_CHOICE",
                "label": "What do you play?",
                "help": None,
                "required": True,
                "options": ["White", "Black"],
                "maxLength": None,
            }
        ]
    }

    id: UUID
    version: int
    questions: Json
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/join-form", "eventJoinForm", allow=anyone)
def event_join_form(event_id: UUID) -> EventJoinFormView | None:
    """What an event asks of who wants in; null where it never asked anything."""

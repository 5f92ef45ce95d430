"""What can be read of all events, by who manages those of the community: drafts, hidden and deleted ones too.

Views of their own, since no other view leads to them: what an organiser shows to few stays so in everything else.
"""

from datetime import datetime
from uuid import UUID

from muster.access.roles import EVENT_MANAGE
from muster.events.tables import Event, EventMember, EventMemberRole, EventMemberStatus, EventStatus, Visibility
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.views.paging import ascending, descending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, one


class ManagedEventView(View, of=Event):
    """An event as who manages all sees it, whoever else may.

    title: what it is called. starts_at: when it begins. ends_at: when it is over. joined_count: heads with a place. max: null is unlimited. created_at: when it was drafted.
    """

    brief = ("id", "title", "status", "startsAt")
    filters = {"ownerId": equals(Event.owner_id), "status": equals(Event.status)}
    orders = {"NEWEST": descending(Event.created_at, is_alone=True), "START": ascending(Event.starts_at)}

    id: UUID
    title: str
    status: EventStatus
    visibility: Visibility
    starts_at: datetime
    ends_at: datetime
    joined_count: int
    max: int | None
    created_at: datetime
    owner: UserView = one("owner_id")


class ManagedMembershipView(View, of=EventMember):
    """What somebody is to an event, as who manages all sees it.

    asked_at: when they last asked, joined, or were asked. joined_at: when they got their place; null for who never had one.
    """

    filters = {"status": equals(EventMember.status)}
    orders = {"ASKED": ascending(EventMember.asked_at)}

    id: UUID
    status: EventMemberStatus
    role: EventMemberRole
    asked_at: datetime
    joined_at: datetime | None
    user: UserView = one("user_id")
    event: ManagedEventView = one("event_id")


@query("GET /managed-events", "managedEvents", allow=member, permission=EVENT_MANAGE)
def managed_events() -> Page[ManagedEventView]:
    """All events of this community, in whatever phase, hidden ones too."""


@query("GET /users/{user_id}/event-memberships", "userEventMemberships", allow=member, permission=EVENT_MANAGE)
def user_event_memberships(user_id: UUID) -> Page[ManagedMembershipView]:
    """What somebody is to the events of this community, and was."""

"""What can be read of links and invitations, by who runs their event."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select

from muster.events.invites.tables import EventInvitation, EventInvitationStatus, EventInviteLink, EventInviteLinkUse
from muster.events.predicates import runs
from muster.events.views import EventView
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.db.tables import once_more
from muster.kit.views.paging import descending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, many, one


def link_visible(link: Any, viewer: Viewer) -> ColumnElement[bool]:
    """Links are for who runs their event."""
    return runs(link.event_id, viewer)


def use_visible(use: Any, viewer: Viewer) -> ColumnElement[bool]:
    """Who came by a link is known to who sees the link."""
    link = once_more(EventInviteLink)
    return select(link.id).where(link.id == use.link_id, runs(link.event_id, viewer)).exists()


def invitation_visible(invitation: Any, viewer: Viewer) -> ColumnElement[bool]:
    """Invitations are for who runs their event."""
    return runs(invitation.event_id, viewer)


class EventInviteLinkUseView(View, of=EventInviteLinkUse):
    """Somebody who came by a link. used_at: when they did."""

    visible = use_visible
    orders = {"NEWEST": descending(EventInviteLinkUse.used_at)}

    id: UUID
    user: UserView = one("user_id")
    used_at: datetime


class EventInviteLinkView(View, of=EventInviteLink):
    """A link that leads people into an event, whatever its join mode; never past a ban, a full house or a shut door.

    code: what to give to `joinByInviteLink`. label: what its makers call it. uses: how many people came by it. max_uses:
    how many may; null is any number. created_at: when it was made. expires_at: nobody comes by it from then on; null is never. revoked_at: since when
    it is of no use; null while it is. log: who came by it.
    """

    visible = link_visible
    within = "event"
    orders = {"NEWEST": descending(EventInviteLink.created_at)}
    example = {"code": "h8KqZ2mWvR", "label": "The poster", "uses": 3, "maxUses": 20, "revokedAt": None}

    id: UUID
    code: str
    label: str | None
    uses: int
    max_uses: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    made_by: UserView = one("made_by_id")
    event: EventView | None = one("event_id")
    log: Page[EventInviteLinkUseView] = many("link_id")


class EventInvitationView(View, of=EventInvitation):
    """An invitation into an event, for its organisers.

    email: of one by mail, as it was given; null for one of somebody here. user: who is invited; of an address, who came by
    it, and null until then. sent_at: when it was last told. expires_at: of one by mail. ended_at: when it was answered or
    taken back; null until then. made_by: who sent it last.
    """

    visible = invitation_visible
    within = "event"
    filters = {"status": equals(EventInvitation.status)}
    orders = {"NEWEST": descending(EventInvitation.sent_at)}
    example = {"email": "ada@example.org", "expiresAt": None, "endedAt": None}

    id: UUID
    email: str | None
    status: EventInvitationStatus
    sent_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    user: UserView | None = one("user_id")
    made_by: UserView = one("made_by_id")
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/invitations", "eventInvitations", allow=member)
def event_invitations(event_id: UUID) -> Page[EventInvitationView] | None:
    """Who is invited to an event, and was, for who runs it, the last told first; null when the caller may not see the
    event.
    """


@query("GET /events/{event_id}/links", "eventInviteLinks", allow=member)
def event_invite_links(event_id: UUID) -> Page[EventInviteLinkView] | None:
    """The links into an event, for who runs it, the newest first; null when the caller may not see the event."""


@query("GET /events/{event_id}/links/{id}", "eventInviteLink", allow=member)
def event_invite_link(event_id: UUID, id: UUID) -> EventInviteLinkView | None:
    """One of them."""

"""What can be read of invitations, and of who asks to join."""

from datetime import datetime
from uuid import UUID

from muster.identity.views import UserView
from muster.kit.caller import Permission, member
from muster.kit.views.paging import descending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, one
from muster.tenancy.tables import (
    Invitation,
    InvitationStatus,
    InvitationUse,
    InvitationWay,
    JoinRequest,
    RequestStatus,
)
from muster.tenancy.teams.views import TeamView

_INVITE, _APPROVE = Permission("member:invite"), Permission("member:approve")


class InvitationView(View, of=Invitation):
    """An invitation to this community.

    email: whom it was mailed to; null for a link. role: what they become. created_at: when it was made.
    expires_at: when it ends; nobody comes in by it from then on. uses: how many came in by it. max_uses: how many
    may; null is any number. made_by: whose rights it rests on. user: who accepted it; null for a link, and until then.
    ended_at: when it was answered or taken back; null until then. team: into which it leads, too; null for none, and
    for one that the viewer may not see. team_role: as what. language: of its letter; null where nobody chose one.
    """

    filters = {"way": equals(Invitation.way), "status": equals(Invitation.status)}
    orders = {"NEWEST": descending(Invitation.created_at)}
    example = {
        "email": "ada@example.org",
        "role": "participant",
        "uses": 0,
        "maxUses": 1,
        "endedAt": None,
        "teamRole": "MEMBER",
        "language": "pl",
    }

    id: UUID
    way: InvitationWay
    email: str | None
    role: str
    status: InvitationStatus
    created_at: datetime
    expires_at: datetime
    uses: int
    max_uses: int | None
    made_by: UserView = one("made_by")
    user: UserView | None = one("user_id")
    ended_at: datetime | None
    team: TeamView | None = one("team_id")
    team_role: str | None
    language: str | None


class InvitationUseView(View, of=InvitationUse):
    """Somebody who came in by an invitation. used_at: when they did."""

    orders = {"NEWEST": descending(InvitationUse.used_at)}

    id: UUID
    user: UserView = one("user_id")
    used_at: datetime


class JoinRequestView(View, of=JoinRequest):
    """Somebody's wish to join this community.

    note: what they say. reason: why they were turned down; null when they were not, or nobody said.
    created_at: when they asked. decided_at: when it was decided; null until then.
    """

    filters = {"status": equals(JoinRequest.status)}
    orders = {"NEWEST": descending(JoinRequest.created_at)}
    example = {"note": "I play on Thursdays.", "reason": None, "decidedAt": None}

    id: UUID
    user: UserView = one("user_id")
    note: str | None
    status: RequestStatus
    reason: str | None
    created_at: datetime
    decided_at: datetime | None


@query("GET /invitations", "invitations", allow=member, permission=_INVITE)
def invitations() -> Page[InvitationView]:
    """The invitations and links of this community, the newest first."""


@query("GET /invitations/{id}", "invitation", allow=member, permission=_INVITE)
def invitation(id: UUID) -> InvitationView | None:
    """One of them."""


@query("GET /invitations/{invitation_id}/uses", "invitationUses", allow=member, permission=_INVITE)
def invitation_uses(invitation_id: UUID) -> Page[InvitationUseView]:
    """Who came in by an invitation, the last first."""


@query("GET /join-requests", "joinRequests", allow=member, permission=_APPROVE)
def join_requests() -> Page[JoinRequestView]:
    """Who asked to join this community, the last first."""

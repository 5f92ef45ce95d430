"""What can be read of teams."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true

from muster.identity.views import UserView
from muster.kit.caller import anyone, member
from muster.kit.db.tables import once_more
from muster.kit.views.paging import ascending, descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one, sql
from muster.notifications.views import NotificationSubject
from muster.tenancy.tables import RequestStatus
from muster.tenancy.teams.predicates import is_in, own_role, request_visible, seat_visible, team_visible
from muster.tenancy.teams.tables import Team, TeamMember, TeamRequest, TeamRequestWay, TeamRole, TeamVisibility


def member_count(team: type[Team], _viewer: Viewer) -> ColumnElement[int]:
    """How many are in a team."""
    seat = once_more(TeamMember)
    return select(func.count()).select_from(seat.id.table).where(seat.team_id == team.id).scalar_subquery()


class TeamView(View, of=Team):
    """A team of this community.

    name: what it is called. description: what it is for; null where nobody said. created_at: when it was made. member_count: how many are in it. own_role: what the viewer is in it; null for who is
    not.
    """

    visible = team_visible
    brief = ("id", "name")
    orders = {"NAME": ascending(Team.name), "NEWEST": descending(Team.created_at)}
    example = {"name": "First eleven", "description": "Those who play in the league.", "ownRole": "MEMBER"}

    id: UUID
    name: str
    description: str | None
    visibility: TeamVisibility
    created_at: datetime
    member_count: int = sql(member_count)
    own_role: str | None = sql(own_role)


class TeamMemberView(View, of=TeamMember):
    """That somebody is in a team. joined_at: since when."""

    visible = seat_visible
    orders = {"JOINED": ascending(TeamMember.joined_at)}

    id: UUID
    team: TeamView | None = one("team_id")
    user: UserView = one("user_id")
    role: TeamRole
    joined_at: datetime


class TeamRequestView(View, of=TeamRequest):
    """That somebody is to be in a team: they ask, or the team invites them.

    user: who it is about. way: which of the two. role: what they become. note: what they say. reason: why they were
    turned down, or turned it down; null when they were not, or nobody said. created_at: when it was made. decided_at:
    when it was decided or taken back; null until then.
    """

    visible = request_visible
    orders = {"NEWEST": descending(TeamRequest.created_at)}
    example = {"note": "I keep goal.", "reason": None, "decidedAt": None}

    id: UUID
    team: TeamView | None = one("team_id")
    user: UserView = one("user_id")
    way: TeamRequestWay
    role: TeamRole
    note: str | None
    status: RequestStatus
    reason: str | None
    created_at: datetime
    decided_at: datetime | None


NotificationSubject.add(TeamView, TeamRequestView)


def _is_mine(team: Any, viewer: Viewer, *, own_only: bool) -> ColumnElement[bool]:
    """With `own_only`, those that the viewer is in."""
    return is_in(team.id, viewer) if own_only else true()


def _is_about_viewer(request: type[TeamRequest], viewer: Viewer) -> ColumnElement[bool]:
    return request.user_id == viewer.user_id


def _is_open(request: Any, _viewer: Viewer, *, open_only: bool) -> ColumnElement[bool]:
    """With `open_only`, those that nobody has decided."""
    condition: ColumnElement[bool] = request.status == RequestStatus.PENDING if open_only else true()
    return condition


@query("GET /teams", "teams", allow=anyone, where=_is_mine)
def teams(own_only: bool = False) -> Page[TeamView]:
    """The teams of this community that the caller may see, by their names.

    own_only: leave out those that they are not in.
    """


@query("GET /teams/{id}", "team", allow=anyone)
def team(id: UUID) -> TeamView | None:
    """One of them."""


@query("GET /teams/{team_id}/members", "teamMembers", allow=member, parent=TeamView)
def team_members(team_id: UUID) -> Page[TeamMemberView]:
    """Who is in a team, the first to come first."""


@query("GET /teams/{team_id}/members/{user_id}", "teamMember", allow=member, parent=TeamView)
def team_member(team_id: UUID, user_id: UUID) -> TeamMemberView | None:
    """One person's place in a team."""


@query("GET /teams/{team_id}/requests", "teamRequests", allow=member, where=_is_open, parent=TeamView)
def team_requests(team_id: UUID, open_only: bool = True) -> Page[TeamRequestView]:
    """Who asks to be in a team and who is invited, for those who run it; others find their own alone.

    open_only: leave out what was decided.
    """


@query("GET /team-requests/{id}", "teamRequest", allow=member)
def team_request(id: UUID) -> TeamRequestView | None:
    """One of them, or of the caller's own."""


@query("GET /me/team-requests", "myTeamRequests", allow=member, where=_is_about_viewer)
def my_team_requests() -> Page[TeamRequestView]:
    """Which teams the caller asked to be in, and which invite them, the last first."""

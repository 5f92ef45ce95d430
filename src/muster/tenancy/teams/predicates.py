"""SQL predicates of teams: who sees one, and who runs it."""

from typing import Any

from sqlalchemy import ColumnElement, and_, literal, not_, or_, select

from muster.identity.predicates import not_blocked
from muster.kit.db.tables import once_more
from muster.kit.views.view import Viewer
from muster.tenancy.tables import CustomRole, Member, MemberStatus, RequestStatus
from muster.tenancy.teams.rules import MANAGERS, RIGHTS, Deed
from muster.tenancy.teams.tables import (
    Team,
    TeamMember,
    TeamRequest,
    TeamRequestWay,
    TeamRole,
    TeamVisibility,
)

MANAGE = "team:manage"
_RUNNERS = tuple(role for role, deeds in RIGHTS.items() if Deed.PEOPLE in deeds)


def is_member(viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is an active member of the community."""
    own = once_more(Member)
    return select(own.id).where(own.user_id == viewer.user_id, own.status == MemberStatus.ACTIVE).exists()


def manages_teams(viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's role in the community lets them see and manage all its teams."""
    own, custom = once_more(Member), once_more(CustomRole)
    given = or_(custom.base.in_(MANAGERS), literal(MANAGE) == custom.additions.any_())
    by_custom = select(custom.id).where(
        custom.slug == own.custom_role, given, not_(literal(MANAGE) == custom.removals.any_())
    )
    return (
        select(own.id)
        .where(
            own.user_id == viewer.user_id,
            own.status == MemberStatus.ACTIVE,
            or_(own.role.in_(MANAGERS), by_custom.exists()),
        )
        .exists()
    )


def is_in(team_id: Any, viewer: Viewer, roles: tuple[TeamRole, ...] = ()) -> ColumnElement[bool]:
    """The viewer is in a team, as one of these if any are named."""
    seat = once_more(TeamMember)
    conditions = [seat.team_id == team_id, seat.user_id == viewer.user_id]
    if roles:
        conditions.append(seat.role.in_(roles))
    return select(seat.id).where(*conditions).exists()


def own_role(team: type[Team], viewer: Viewer) -> ColumnElement[str | None]:
    """What the viewer is in a team."""
    seat = once_more(TeamMember)
    return select(seat.role).where(seat.team_id == team.id, seat.user_id == viewer.user_id).scalar_subquery()


def runs_team(team_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """The viewer decides who is in a team."""
    return or_(is_in(team_id, viewer, _RUNNERS), manages_teams(viewer))


def is_open_invitation(request: Any, viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is invited, by nobody whom they have blocked or who has blocked them."""
    return and_(
        request.user_id == viewer.user_id,
        request.way == TeamRequestWay.INVITED,
        request.status == RequestStatus.PENDING,
        not_blocked(viewer.user_id, request.made_by),
    )


def team_visible(team: type[Team], viewer: Viewer) -> ColumnElement[bool]:
    """A public team is seen by all, an internal one by members, a private one by its people and whom it invites."""
    request = once_more(TeamRequest)
    invited = select(request.id).where(request.team_id == team.id, is_open_invitation(request, viewer)).exists()
    return or_(
        team.visibility == TeamVisibility.PUBLIC,
        and_(team.visibility == TeamVisibility.INTERNAL, is_member(viewer)),
        is_in(team.id, viewer),
        invited,
        manages_teams(viewer),
    )


def seat_visible(seat: type[TeamMember], viewer: Viewer) -> ColumnElement[bool]:
    """Members of the community see who is in a team that they see; visitors see nobody."""
    team: Any = once_more(Team)
    return and_(is_member(viewer), select(team.id).where(team.id == seat.team_id, team_visible(team, viewer)).exists())


def request_visible(request: type[TeamRequest], viewer: Viewer) -> ColumnElement[bool]:
    """Those who run the team, and who asked or is invited: without what comes from somebody who is blocked."""
    own = and_(request.user_id == viewer.user_id, not_blocked(viewer.user_id, request.made_by))
    return or_(own, runs_team(request.team_id, viewer))

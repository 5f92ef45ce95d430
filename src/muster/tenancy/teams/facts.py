"""What happens to teams and to who is in them."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact
from muster.tenancy.teams.tables import TeamRole


class TeamFact(Fact):
    """Base of what happens to one team."""

    kind: ClassVar[str] = "team"
    about: ClassVar[str] = "team_id"
    team_id: UUID


class TeamCreated(TeamFact):
    """A community has a new team."""

    kind: ClassVar[str] = "team.created"


class TeamUpdated(TeamFact):
    """Something of a team was changed. changed: the fields, as clients know them."""

    kind: ClassVar[str] = "team.updated"
    changed: list[str]


class TeamDeleted(TeamFact):
    """A team is no more. name, people: its own, which nobody can look up any more. by_id: who deleted it."""

    kind: ClassVar[str] = "team.deleted"
    name: str
    people: list[UUID]
    by_id: UUID


class TeamPersonFact(TeamFact):
    """Base of what happens to one person of a team. by_id: who did it; their own id where they did."""

    kind: ClassVar[str] = "team.person"
    user_id: UUID
    by_id: UUID


class TeamEntered(TeamPersonFact):
    """Somebody is in a team now."""

    kind: ClassVar[str] = "team.entered"
    role: TeamRole


class TeamLeft(TeamPersonFact):
    """Somebody is not in a team any more: they left it, or were removed."""

    kind: ClassVar[str] = "team.left"


class TeamRoleChanged(TeamPersonFact):
    """Somebody is something else in a team."""

    kind: ClassVar[str] = "team.role_changed"
    role: TeamRole


class TeamInherited(TeamFact):
    """The last owner of a team is gone from the community, and somebody owns it in their place."""

    kind: ClassVar[str] = "team.inherited"
    user_id: UUID


class TeamRequestFact(TeamFact):
    """Base of what happens to somebody's way into a team."""

    kind: ClassVar[str] = "team_request"
    request_id: UUID
    user_id: UUID


class TeamAsked(TeamRequestFact):
    """A member asks to be in a team."""

    kind: ClassVar[str] = "team_request.asked"


class TeamInvited(TeamRequestFact):
    """A team wants a member in it. by_id: who says so."""

    kind: ClassVar[str] = "team_request.invited"
    by_id: UUID


class TeamApproved(TeamRequestFact):
    """Who asked is in the team, or who was invited came."""

    kind: ClassVar[str] = "team_request.approved"


class TeamRejected(TeamRequestFact):
    """Who asked does not get in, or who was invited does not come."""

    kind: ClassVar[str] = "team_request.rejected"


class TeamWithdrawn(TeamRequestFact):
    """It was taken back by who made it."""

    kind: ClassVar[str] = "team_request.withdrawn"

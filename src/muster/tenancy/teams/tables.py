"""Tables of teams: each team, who is in it, and who is to be."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, one_of, personal, plain, state
from muster.tenancy.tables import RequestStatus


class TeamVisibility(StrEnum):
    """Who sees a team: whoever sees the community, its members, or the team's own people."""

    PUBLIC = "PUBLIC"
    INTERNAL = "INTERNAL"
    PRIVATE = "PRIVATE"


class TeamRole(StrEnum):
    """What somebody is in a team. `rules` says what each may do there."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    MEMBER = "MEMBER"
    VIEWER = "VIEWER"


class TeamRequestWay(StrEnum):
    """Who wants somebody to be in a team: they themselves, or the team."""

    ASKED = "ASKED"
    INVITED = "INVITED"


class Team(TenantTable):
    """A team. Its row is the lock of who is in it, who is to be, and who runs it."""

    __tablename__ = "teams"
    __table_args__ = (
        Index("teams_name_idx", "tenant_id", "name", "id"),
        Index("teams_newest_idx", "tenant_id", "created_at", "id"),
        one_of("visibility", TeamVisibility),
    )

    tenant_id: Mapped[UUID] = plain(ForeignKey("tenants.id"), primary_key=True, sort_order=-2)
    name: Mapped[str] = plain()
    description: Mapped[str | None] = plain()
    visibility: Mapped[TeamVisibility] = state(TeamVisibility)
    created_at: Mapped[datetime] = plain()


class TeamMember(TenantTable):
    """Somebody is in a team. Who leaves it leaves no row."""

    __tablename__ = "team_members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "team_id", "user_id"),
        ForeignKeyConstraint(["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        Index("team_members_joined_idx", "tenant_id", "team_id", "joined_at", "id"),
        Index("team_members_person_idx", "tenant_id", "user_id"),
        one_of("role", TeamRole),
    )
    person: ClassVar[str | None] = "user_id"

    team_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    role: Mapped[TeamRole] = state(TeamRole)
    joined_at: Mapped[datetime] = plain()


class TeamRequest(TenantTable):
    """That a member is to be in a team, because they ask or because the team invites them; the other side decides.

    user_id: who is to be in the team. made_by: who invited them; their own id where they asked. role: what they become.
    note: what they say. reason: why they were turned down.
    """

    __tablename__ = "team_requests"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "team_id"], ["teams.tenant_id", "teams.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "made_by"], ["members.tenant_id", "members.user_id"]),
        Index(
            "team_requests_pending_idx",
            "tenant_id",
            "team_id",
            "user_id",
            unique=True,
            postgresql_where="status = 'PENDING'",
        ),
        Index("team_requests_team_idx", "tenant_id", "team_id", "created_at", "id"),
        Index("team_requests_person_idx", "tenant_id", "user_id", "created_at", "id"),
        one_of("way", TeamRequestWay),
        one_of("role", TeamRole),
        one_of("status", RequestStatus),
    )
    person: ClassVar[str | None] = "user_id"

    team_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    made_by: Mapped[UUID] = plain()
    way: Mapped[TeamRequestWay] = state(TeamRequestWay)
    role: Mapped[TeamRole] = state(TeamRole)
    note: Mapped[str | None] = personal()
    status: Mapped[RequestStatus] = state(RequestStatus)
    reason: Mapped[str | None] = personal()
    created_at: Mapped[datetime] = plain()
    decided_at: Mapped[datetime | None] = plain()

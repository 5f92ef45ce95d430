"""SQL that the verbs of teams need. The row of a team is the lock of all that belongs to it."""

from datetime import datetime
from uuid import UUID

from msgspec import structs
from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.predicates import not_blocked
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id
from muster.kit.views.scope import REQUEST_VIEWER
from muster.tenancy.tables import Invitation, InvitationStatus, Member, RequestStatus
from muster.tenancy.teams import rules
from muster.tenancy.teams.predicates import own_role, request_visible, team_visible
from muster.tenancy.teams.tables import Team, TeamMember, TeamRequest, TeamRequestWay, TeamRole, TeamVisibility


class Counted(Row):
    """A number."""

    number: int


class Found(Row):
    """The id of a row."""

    id: UUID


class Meeting(Row):
    """Whether neither of two people has blocked the other."""

    welcome: bool


class TeamParts(Row):
    """What may be changed of a team."""

    name: str
    description: str | None
    visibility: TeamVisibility


class Standing(Row):
    """How the acting person stands to a locked team. people, owners: how many are in it, and own it."""

    sees: bool
    role: TeamRole | None
    people: int
    owners: int


class SeatRow(Row):
    """Somebody's place in a locked team."""

    user_id: UUID
    role: TeamRole
    joined_at: datetime


class SeatId(Row):
    """Somebody's place, and what they are there."""

    id: UUID
    role: TeamRole


class Request(Row):
    """A request of a locked team. reason: why it was turned down."""

    id: UUID
    team_id: UUID
    user_id: UUID
    made_by: UUID
    way: TeamRequestWay
    role: TeamRole
    status: RequestStatus
    reason: str | None


_TEAM = Team.id == bindparam("team", type_=Team.id.type)
_PERSON = bindparam("person", type_=Member.user_id.type)
_OF_TEAM = TeamMember.team_id == bindparam("team", type_=Team.id.type)
_SEAT = and_(_OF_TEAM, TeamMember.user_id == _PERSON)
_PENDING = TeamRequest.status == RequestStatus.PENDING
_COUNT = Statement(Counted, select(func.count().label("number")).select_from(Team))
_PUT = insertion(Nothing, Team, "tenant_id", "id", "name", "description", "visibility", "created_at")
# One at a time changes a team, who is in it and who is to be; so limits hold, and the last owner stays.
_LOCK = Statement(TeamParts, select(*columns(TeamParts, Team)).where(_TEAM).with_for_update(key_share=True))
_READ = Statement(TeamParts, select(*columns(TeamParts, Team)).where(_TEAM))
_PEOPLE = select(func.count()).where(TeamMember.team_id == Team.id)
_STANDING = Statement(
    Standing,
    select(
        team_visible(Team, REQUEST_VIEWER).label("sees"),
        own_role(Team, REQUEST_VIEWER).label("role"),
        _PEOPLE.scalar_subquery().label("people"),
        _PEOPLE.where(TeamMember.role == TeamRole.OWNER).scalar_subquery().label("owners"),
    ).where(_TEAM),
)
_EDIT = Statement(
    Nothing,
    update(Team)
    .where(_TEAM)
    .values(
        name=bindparam("new_name", type_=Team.name.type),
        description=bindparam("new_description", type_=Team.description.type),
        visibility=bindparam("new_visibility", type_=Team.visibility.type),
    ),
)
# Who was invited into a team that is gone was invited into nothing: what nobody has answered is taken back.
_VOID = Statement(
    Nothing,
    update(Invitation)
    .where(
        Invitation.team_id == bindparam("team", type_=Team.id.type),
        Invitation.status == InvitationStatus.PENDING,
    )
    .values(status=InvitationStatus.REVOKED, ended_at=bindparam("moment", type_=Invitation.ended_at.type)),
)
_UNNAME = Statement(
    Nothing,
    update(Invitation)
    .where(Invitation.team_id == bindparam("team", type_=Team.id.type))
    .values(team_id=None, team_role=None),
)
_DELETE = Statement(Nothing, delete(Team).where(_TEAM))
_SEATS = Statement(SeatRow, select(*columns(SeatRow, TeamMember)).where(_OF_TEAM))
_PUT_SEAT = insertion(Nothing, TeamMember, "tenant_id", "id", "team_id", "user_id", "role", "joined_at")
_PUT_ROLE = Statement(
    Nothing, update(TeamMember).where(_SEAT).values(role=bindparam("given", type_=TeamMember.role.type))
)
_REMOVE = Statement(Nothing, delete(TeamMember).where(_SEAT))
_FIND_SEAT = Statement(SeatId, select(TeamMember.id, TeamMember.role).where(_SEAT))
# In the order of their ids, as everybody locks them who locks more than one.
_TEAMS_OF = Statement(
    Found,
    select(Team.id)
    .where(Team.id.in_(select(TeamMember.team_id).where(TeamMember.user_id == _PERSON)))
    .order_by(Team.id)
    .with_for_update(key_share=True),
)
_END_REQUESTS_OF = Statement(
    Nothing,
    update(TeamRequest)
    .where(TeamRequest.user_id == _PERSON, _PENDING)
    .values(
        status=RequestStatus.CANCELLED,
        decided_at=bindparam("moment", type_=TeamRequest.decided_at.type),
    ),
)
_REQUEST = select(*columns(Request, TeamRequest))
_REQUEST_ID = TeamRequest.id == bindparam("request", type_=TeamRequest.id.type)
_FIND_REQUEST = Statement(Request, _REQUEST.where(_REQUEST_ID, request_visible(TeamRequest, REQUEST_VIEWER)))
_READ_REQUEST = Statement(Request, _REQUEST.where(_REQUEST_ID))
_OPEN_REQUEST = Statement(
    Request,
    _REQUEST.where(
        _PENDING,
        TeamRequest.team_id == bindparam("team", type_=Team.id.type),
        TeamRequest.user_id == _PERSON,
    ),
)
_PUT_REQUEST = Statement(
    Nothing,
    insert(TeamRequest),
    insert_keys=(*("tenant_id", "id", "team_id", "user_id", "made_by", "way", "role", "note", "status", "created_at"),),
)
_RENEW_REQUEST = Statement(
    Nothing,
    update(TeamRequest)
    .where(_REQUEST_ID)
    .values(
        role=bindparam("given", type_=TeamRequest.role.type),
        made_by=bindparam("maker", type_=TeamRequest.made_by.type),
    ),
)
_DECIDE = Statement(
    Nothing,
    update(TeamRequest)
    .where(_REQUEST_ID)
    .values(
        status=bindparam("now_is", type_=TeamRequest.status.type),
        reason=bindparam("why", type_=TeamRequest.reason.type),
        decided_at=bindparam("moment", type_=TeamRequest.decided_at.type),
    ),
)
_FORGET = Statement(
    Nothing, delete(TeamRequest).where(TeamRequest.decided_at < bindparam("before", type_=TeamRequest.decided_at.type))
)


_MAY_MEET = Statement(
    Meeting, select(not_blocked(_PERSON, bindparam("other", type_=Member.user_id.type)).label("welcome"))
)


async def lock_teams(ctx: Ctx) -> int:
    """How many teams the community has. Until the transaction ends nobody else makes one."""
    await ctx.db.take_turn(f"teams of {ctx.tenant_id}")
    found = await ctx.db.one(_COUNT)
    return 0 if found is None else found.number


async def put_team(ctx: Ctx, parts: TeamParts) -> UUID:
    """Make a team."""
    team_id = new_id()
    await ctx.db.run(_PUT, tenant_id=ctx.tenant_id, id=team_id, created_at=ctx.now, **structs.asdict(parts))
    return team_id


async def lock_team(ctx: Ctx, team_id: UUID) -> TeamParts | None:
    """Lock a team, whoever may see it; None when there is none."""
    return await ctx.db.one(_LOCK, team=team_id)


async def find_name(tx: Transaction, team_id: UUID | None) -> str | None:
    """What a team is called; None when there is none."""
    found = await tx.one(_READ, team=team_id)
    return None if found is None else found.name


async def standing(ctx: Ctx, team_id: UUID) -> Standing | None:
    """How the acting person stands to a locked team."""
    return await ctx.db.one(_STANDING, team=team_id, **ctx.as_viewer())


async def edit_team(ctx: Ctx, team_id: UUID, parts: TeamParts) -> None:
    """Store a locked team as edited."""
    edited = {f"new_{name}": value for name, value in structs.asdict(parts).items()}
    await ctx.db.run(_EDIT, team=team_id, **edited)


async def take_back_invitations(ctx: Ctx, team_id: UUID) -> None:
    """Take open invitations of the community into a team back."""
    await ctx.db.run(_VOID, team=team_id, moment=ctx.now)


async def delete_team(ctx: Ctx, team_id: UUID) -> None:
    """Delete a locked team with all that belongs to it."""
    await ctx.db.run(_UNNAME, team=team_id)
    await ctx.db.run(_DELETE, team=team_id)


async def find_seat(ctx: Ctx, team_id: UUID, user_id: UUID) -> SeatId | None:
    """Somebody's place in a locked team."""
    return await ctx.db.one(_FIND_SEAT, team=team_id, person=user_id)


async def seats_of(ctx: Ctx, team_id: UUID) -> list[SeatRow]:
    """All places of a team."""
    return await ctx.db.all(_SEATS, team=team_id)


async def put_seat(ctx: Ctx, team_id: UUID, user_id: UUID, role: TeamRole) -> UUID:
    """Give somebody, who stays a member, a place in a locked team; answers with its id."""
    seat_id = new_id()
    await ctx.db.run(
        _PUT_SEAT,
        tenant_id=ctx.tenant_id,
        id=seat_id,
        team_id=team_id,
        user_id=user_id,
        role=role,
        joined_at=ctx.now,
    )
    return seat_id


async def put_role(ctx: Ctx, team_id: UUID, user_id: UUID, role: TeamRole) -> None:
    """Make somebody something else in a locked team."""
    await ctx.db.run(_PUT_ROLE, team=team_id, person=user_id, given=role)


async def remove_seat(ctx: Ctx, team_id: UUID, user_id: UUID) -> None:
    """Take somebody's place in a locked team."""
    await ctx.db.run(_REMOVE, team=team_id, person=user_id)


async def lock_teams_of(ctx: Ctx, user_id: UUID) -> list[UUID]:
    """Lock the teams that somebody is in."""
    return [each.id for each in await ctx.db.all(_TEAMS_OF, person=user_id)]


async def end_requests_of(ctx: Ctx, user_id: UUID) -> None:
    """Take back what somebody who goes asked for and was invited to."""
    await ctx.db.run(_END_REQUESTS_OF, person=user_id, moment=ctx.now)


async def find_request(ctx: Ctx, request_id: UUID) -> Request | None:
    """A request that the acting person sees."""
    return await ctx.db.one(_FIND_REQUEST, request=request_id, **ctx.as_viewer())


async def read_request(ctx: Ctx, request_id: UUID) -> Request | None:
    """A request, whoever sees it. Of a locked team, it stays as it is."""
    return await ctx.db.one(_READ_REQUEST, request=request_id)


async def open_request(ctx: Ctx, team_id: UUID, user_id: UUID) -> Request | None:
    """The request about somebody that a locked team has open."""
    return await ctx.db.one(_OPEN_REQUEST, team=team_id, person=user_id)


async def put_request(
    ctx: Ctx, *, team_id: UUID, user_id: UUID, way: TeamRequestWay, role: TeamRole, note: str | None = None
) -> UUID:
    """Have a locked team hold that somebody is to be in it, which the acting person wants."""
    request_id = new_id()
    await ctx.db.run(
        _PUT_REQUEST,
        tenant_id=ctx.tenant_id,
        id=request_id,
        team_id=team_id,
        user_id=user_id,
        made_by=ctx.user_id,
        way=way,
        role=role,
        note=note,
        status=RequestStatus.PENDING,
        created_at=ctx.now,
    )
    return request_id


async def renew_request(ctx: Ctx, request_id: UUID, role: TeamRole) -> None:
    """Have an open invitation be the acting person's, to be this."""
    await ctx.db.run(_RENEW_REQUEST, request=request_id, given=role, maker=ctx.user_id)


async def decide_request(ctx: Ctx, request_id: UUID, status: RequestStatus, *, reason: str | None = None) -> None:
    """Say what became of a request of a locked team."""
    await ctx.db.run(_DECIDE, request=request_id, now_is=status, why=reason, moment=ctx.now)


async def forget_requests(ctx: Ctx, before: datetime) -> None:
    """Remove the requests that were decided before a moment."""
    await ctx.db.run(_FORGET, before=before)


async def may_meet(ctx: Ctx, user_id: UUID, other_id: UUID) -> bool:
    """Whether neither of two people has blocked the other."""
    found = await ctx.db.one(_MAY_MEET, person=user_id, other=other_id)
    return found is not None and found.welcome


async def runners_of(ctx: Ctx, team_id: UUID) -> list[UUID]:
    """Who decides who is in a team."""
    return [each.user_id for each in await seats_of(ctx, team_id) if rules.may(each.role, rules.Deed.PEOPLE)]

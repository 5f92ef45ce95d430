"""The verbs of teams: making and changing them, and who is in them."""

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType, structs

from muster.kit.arguments import Input
from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, NotFound
from muster.kit.limits import API
from muster.kit.text import camel
from muster.tenancy import queries as tenancy
from muster.tenancy.commands.answering import InvitationVoid
from muster.tenancy.commands.members import MemberNotFound
from muster.tenancy.granting import OutranksYou
from muster.tenancy.tables import RequestStatus
from muster.tenancy.teams import queries, rules, seating
from muster.tenancy.teams.facts import (
    TeamApproved,
    TeamAsked,
    TeamCreated,
    TeamDeleted,
    TeamInvited,
    TeamLeft,
    TeamRejected,
    TeamRoleChanged,
    TeamUpdated,
    TeamWithdrawn,
)
from muster.tenancy.teams.queries import Request, Standing, TeamParts
from muster.tenancy.teams.rules import Deed
from muster.tenancy.teams.tables import TeamRequestWay, TeamRole, TeamVisibility
from muster.tenancy.teams.views import TeamMemberView, TeamRequestView, TeamView

TEAM_CREATE = Permission("team:create")


class TooManyTeams(Conflict):
    """This community has as many teams as it may have; delete one that nobody needs."""

    code = "TOO_MANY_TEAMS"


class TeamMemberNotFound(NotFound):
    """This team has no such member."""

    code = "TEAM_MEMBER_NOT_FOUND"


class InTeamAlready(Conflict):
    """They are in this team already."""

    code = "IN_TEAM_ALREADY"


class LastTeamOwner(Conflict):
    """This is the team's last owner: make somebody else one first, or delete the team."""

    code = "LAST_TEAM_OWNER"


class TeamRequestNotFound(NotFound):
    """There is no such request or invitation of yours, or of a team that you run."""

    code = "TEAM_REQUEST_NOT_FOUND"


class TeamRequestDecided(Conflict):
    """This was decided already, or taken back."""

    code = "TEAM_REQUEST_DECIDED"


Name = Annotated[
    str, Meta(min_length=2, max_length=100, pattern=r"\S", examples=["First eleven"], description="What it is called.")
]
Description = Annotated[str, Meta(max_length=1000, description="What it is for; plain text.")]
Note = Annotated[str, Meta(max_length=500, description="For those who decide; plain text.")]
Reason = Annotated[str, Meta(min_length=1, max_length=500, pattern=r"\S", description="Why; the other side reads it.")]


class CreateTeamInput(Input):
    """What a new team is.

    visibility: who sees it: whoever sees the community, its members, or its own people and who manages teams.
    """

    name: Name
    description: Description | None = None
    visibility: TeamVisibility = TeamVisibility.INTERNAL


class UpdateTeamInput(Input):
    """What changes of a team; what is absent stays as it is."""

    name: Name | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    visibility: TeamVisibility | UnsetType = UNSET


@command("POST /teams", "createTeam", allow=member, permission=TEAM_CREATE, limit=API, answers=(201,))
async def create(ctx: Ctx, *, input: CreateTeamInput) -> TeamView:
    """Make a team and become its owner.

    Raises TooManyTeams.
    """
    # Under a lock of the community's, so of two who make its last team at once one does.
    if await queries.lock_teams(ctx) >= ctx.settings.communities.teams:
        raise TooManyTeams
    team_id = await queries.put_team(ctx, TeamParts(**structs.asdict(input)))
    await queries.put_seat(ctx, team_id, ctx.user_id, TeamRole.OWNER)
    ctx.record(TeamCreated(team_id=team_id))
    return TeamView.ref(team_id, created=True)


@command("PATCH /teams/{id}", "updateTeam", allow=member, limit=API)
async def update(ctx: Ctx, *, id: UUID, input: UpdateTeamInput) -> TeamView:
    """Change what a team is called, what it is for, and who sees it.

    Raises TeamNotFound, TeamForbidden.
    """
    before, own = await seating.enter(ctx, id)
    seating.check(ctx, own, Deed.EDIT)
    given = {name: value for name, value in structs.asdict(input).items() if value is not UNSET}
    after = structs.replace(before, **given)
    changed = [camel(name) for name in given if getattr(before, name) != getattr(after, name)]
    if changed:
        await queries.edit_team(ctx, id, after)
        ctx.record(TeamUpdated(team_id=id, changed=changed))
    return TeamView.ref(id)


@command("DELETE /teams/{id}", "deleteTeam", allow=member, limit=API)
async def delete(ctx: Ctx, *, id: UUID) -> None:
    """Delete a team. Its people stay in the community; open invitations into it are taken back.

    Raises TeamNotFound, TeamForbidden.
    """
    # Who comes in by one of them locks it before the team; so does this, and again what was made before the team's lock.
    await queries.take_back_invitations(ctx, id)
    team, own = await seating.enter(ctx, id)
    seating.check(ctx, own, Deed.DELETE)
    await queries.take_back_invitations(ctx, id)
    people = [each.user_id for each in await queries.seats_of(ctx, id)]
    await queries.delete_team(ctx, id)
    ctx.record(TeamDeleted(team_id=id, name=team.name, people=people, by_id=ctx.user_id))


@command("POST /teams/{team_id}/requests", "askToJoinTeam", allow=member, limit=API, answers=(200, 201))
async def ask(ctx: Ctx, *, team_id: UUID, note: Note | None = None) -> TeamRequestView:
    """Ask to be in a team. Whom the team has invited is in it at once; asking twice is once.

    note: what those who run it should know.
    Raises TeamNotFound, MemberNotFound for a program, InTeamAlready, TeamFull.
    """
    await _lock_person(ctx, ctx.user_id)
    _, own = await seating.enter(ctx, team_id)
    if own.role is not None:
        raise InTeamAlready
    found = await queries.open_request(ctx, team_id, ctx.user_id)
    if found is None:
        made = await queries.put_request(
            ctx, team_id=team_id, user_id=ctx.user_id, way=TeamRequestWay.ASKED, role=TeamRole.MEMBER, note=note
        )
        ctx.record(TeamAsked(team_id=team_id, request_id=made, user_id=ctx.user_id))
        return TeamRequestView.ref(made, created=True)
    if found.way == TeamRequestWay.INVITED and await _counts(ctx, found):
        await _let_in(ctx, found)
    return TeamRequestView.ref(found.id)


@command("POST /teams/{team_id}/invitations", "inviteToTeam", allow=member, limit=API, answers=(200, 201))
async def invite(ctx: Ctx, *, team_id: UUID, user_id: UUID, role: TeamRole = TeamRole.MEMBER) -> TeamRequestView:
    """Invite a member of the community into a team. Who has asked is in it at once; inviting again changes the role.

    Others are invited into the community and the team in one: `inviteMember` and `createInvitationLink` take a team.
    Raises TeamNotFound, TeamForbidden, GrantsTooMuch, MemberNotFound, InTeamAlready, TeamFull.
    """
    is_member = await tenancy.hold_members(ctx, [user_id])
    await seating.check_invites(ctx, team_id, role)
    if not is_member:
        raise MemberNotFound
    if await queries.find_seat(ctx, team_id, user_id) is not None:
        raise InTeamAlready
    found = await queries.open_request(ctx, team_id, user_id)
    if found is None:
        made = await queries.put_request(ctx, team_id=team_id, user_id=user_id, way=TeamRequestWay.INVITED, role=role)
        ctx.record(TeamInvited(team_id=team_id, request_id=made, user_id=user_id, by_id=ctx.user_id))
        return TeamRequestView.ref(made, created=True)
    await queries.renew_request(ctx, found.id, role)
    if found.way == TeamRequestWay.ASKED:
        await _let_in(ctx, structs.replace(found, role=role))
    return TeamRequestView.ref(found.id)


@command("POST /team-requests/{id}/approval", "approveTeamRequest", allow=member, limit=API)
async def approve(ctx: Ctx, *, id: UUID) -> TeamRequestView:
    """Say yes: those who run the team to who asked, or who is invited to the team.

    Raises TeamRequestNotFound, TeamRequestDecided, TeamForbidden, TeamFull, InvitationVoid.
    """
    request, own = await _lock_request(ctx, id)
    _check_answers(ctx, request, own)
    if request.way == TeamRequestWay.INVITED and not await _counts(ctx, request):
        raise InvitationVoid
    await _let_in(ctx, request)
    return TeamRequestView.ref(id)


@command("POST /team-requests/{id}/rejection", "rejectTeamRequest", allow=member, limit=API)
async def reject(ctx: Ctx, *, id: UUID, reason: Reason | None = None) -> TeamRequestView:
    """Say no: those who run the team to who asked, or who is invited to the team. They may ask, or invite, again.

    Raises TeamRequestNotFound, TeamRequestDecided, TeamForbidden.
    """
    request, own = await _lock_request(ctx, id)
    _check_answers(ctx, request, own)
    await queries.decide_request(ctx, id, RequestStatus.REJECTED, reason=reason)
    ctx.record(TeamRejected(team_id=request.team_id, request_id=id, user_id=request.user_id))
    return TeamRequestView.ref(id)


@command("DELETE /team-requests/{id}", "withdrawTeamRequest", allow=member, limit=API)
async def withdraw(ctx: Ctx, *, id: UUID) -> TeamRequestView:
    """Take back what one asked for, or whom the team invites.

    Raises TeamRequestNotFound, TeamRequestDecided, TeamForbidden.
    """
    request, own = await _lock_request(ctx, id)
    if request.way == TeamRequestWay.INVITED:
        seating.check(ctx, own, Deed.PEOPLE)
    elif request.user_id != ctx.user_id:
        raise seating.TeamForbidden
    await queries.decide_request(ctx, id, RequestStatus.CANCELLED)
    ctx.record(TeamWithdrawn(team_id=request.team_id, request_id=id, user_id=request.user_id))
    return TeamRequestView.ref(id)


@command("PUT /teams/{team_id}/members/{user_id}/role", "changeTeamRole", allow=member, limit=API)
async def change_role(ctx: Ctx, *, team_id: UUID, user_id: UUID, role: TeamRole) -> TeamMemberView:
    """Make somebody something else in a team. Nobody gives or takes what is higher than their own role.

    Raises TeamNotFound, TeamForbidden, TeamMemberNotFound, OutranksYou, GrantsTooMuch, LastTeamOwner.
    """
    _, own = await seating.enter(ctx, team_id)
    power = seating.check(ctx, own, Deed.PEOPLE)
    target = await queries.find_seat(ctx, team_id, user_id)
    if target is None:
        raise TeamMemberNotFound
    _check_rank(power, target.role)
    seating.check_gives(power, role)
    if target.role != role:
        _check_owner_stays(own, target.role)
        await queries.put_role(ctx, team_id, user_id, role)
        ctx.record(TeamRoleChanged(team_id=team_id, user_id=user_id, by_id=ctx.user_id, role=role))
    return TeamMemberView.ref(target.id)


@command("DELETE /teams/{team_id}/members/{user_id}", "removeFromTeam", allow=member, limit=API)
async def remove(ctx: Ctx, *, team_id: UUID, user_id: UUID) -> None:
    """Leave a team, or remove somebody from it who is no higher in it than oneself.

    Raises TeamNotFound, TeamForbidden, TeamMemberNotFound, OutranksYou, LastTeamOwner.
    """
    _, own = await seating.enter(ctx, team_id)
    power = own.role if user_id == ctx.user_id else seating.check(ctx, own, Deed.PEOPLE)
    target = await queries.find_seat(ctx, team_id, user_id)
    if target is None or power is None:
        raise TeamMemberNotFound
    _check_rank(power, target.role)
    _check_owner_stays(own, target.role)
    await queries.remove_seat(ctx, team_id, user_id)
    ctx.record(TeamLeft(team_id=team_id, user_id=user_id, by_id=ctx.user_id))


async def _lock_person(ctx: Ctx, user_id: UUID) -> None:
    """Keep somebody a member until the transaction ends, asked before a team's own lock. Raises MemberNotFound."""
    if not await tenancy.hold_members(ctx, [user_id]):
        raise MemberNotFound


async def _lock_request(ctx: Ctx, request_id: UUID) -> tuple[Request, Standing]:
    """An open request that the acting person sees, under the lock of its team, and how they stand to that.

    Raises TeamRequestNotFound, TeamRequestDecided.
    """
    seen = await queries.find_request(ctx, request_id)
    if seen is None:
        raise TeamRequestNotFound
    if seen.status != RequestStatus.PENDING or not await tenancy.hold_members(ctx, [seen.user_id]):
        raise TeamRequestDecided
    try:
        _, own = await seating.enter(ctx, seen.team_id)
    except seating.TeamNotFound as gone:
        raise TeamRequestNotFound from gone
    # As it stands now that nobody else changes it.
    request = await queries.read_request(ctx, request_id)
    if request is None:
        raise TeamRequestNotFound
    if request.status != RequestStatus.PENDING:
        raise TeamRequestDecided
    return request, own


def _check_answers(ctx: Ctx, request: Request, own: Standing) -> None:
    """Make sure that it is for the acting person to answer. Raises TeamForbidden."""
    if request.way == TeamRequestWay.ASKED:
        seating.check(ctx, own, Deed.PEOPLE)
    elif request.user_id != ctx.user_id:
        raise seating.TeamForbidden


async def _counts(ctx: Ctx, invitation: Request) -> bool:
    """Whether who invited may still do that."""
    return await seating.still_invites(ctx, invitation.team_id, invitation.made_by, invitation.role)


async def _let_in(ctx: Ctx, request: Request) -> None:
    """Seat who an open request of a locked team is about. Raises TeamFull."""
    await seating.seat(ctx, team_id=request.team_id, user_id=request.user_id, role=request.role)
    await queries.decide_request(ctx, request.id, RequestStatus.APPROVED)
    ctx.record(TeamApproved(team_id=request.team_id, request_id=request.id, user_id=request.user_id))


def _check_rank(power: TeamRole, target: TeamRole) -> None:
    if rules.rank(target) > rules.rank(power):
        raise OutranksYou


def _check_owner_stays(own: Standing, target: TeamRole) -> None:
    if target == TeamRole.OWNER and own.owners == 1:
        raise LastTeamOwner

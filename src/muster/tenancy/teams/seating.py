"""Who comes into a team and who goes: by whichever door, through here."""

from uuid import UUID

from muster.kit.caller import Permission
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, Denied, NotFound
from muster.tenancy.granting import GrantsTooMuch, held_by
from muster.tenancy.teams import queries, rules
from muster.tenancy.teams.facts import TeamEntered, TeamInherited, TeamLeft
from muster.tenancy.teams.predicates import MANAGE
from muster.tenancy.teams.queries import Standing, TeamParts
from muster.tenancy.teams.rules import Deed
from muster.tenancy.teams.tables import TeamRole

TEAM_MANAGE = Permission(MANAGE)


class TeamNotFound(NotFound):
    """There is no such team here, or it is not for you to know of."""

    code = "TEAM_NOT_FOUND"


class TeamForbidden(Denied):
    """You see this team, but this is for those who run it; ask one of its owners."""

    code = "TEAM_FORBIDDEN"


class TeamFull(Conflict):
    """This team has as many people as a team may have."""

    code = "TEAM_FULL"


async def enter(ctx: Ctx, team_id: UUID) -> tuple[TeamParts, Standing]:
    """A team that the acting person sees, under its lock, and how they stand to it. Raises TeamNotFound."""
    team = await queries.lock_team(ctx, team_id)
    # In a statement of its own: what it reads is what others have left before the lock was free.
    own = None if team is None else await queries.standing(ctx, team_id)
    if team is None or own is None or not own.sees:
        raise TeamNotFound
    return team, own


def power_of(ctx: Ctx, own: Standing) -> TeamRole | None:
    """As what the acting person acts in a team."""
    return rules.power(own.role, manages=ctx.may(TEAM_MANAGE))


def check(ctx: Ctx, own: Standing, deed: Deed) -> TeamRole:
    """As what the acting person does a deed. Raises TeamForbidden."""
    power = power_of(ctx, own)
    if power is None or not rules.may(power, deed):
        raise TeamForbidden
    return power


def check_gives(power: TeamRole, role: TeamRole) -> None:
    """Make sure that who acts as this may give somebody a role. Raises GrantsTooMuch."""
    if rules.rank(role) > rules.rank(power):
        raise GrantsTooMuch


async def check_invites(ctx: Ctx, team_id: UUID, role: TeamRole) -> None:
    """Lock a team, and make sure that the acting person may have somebody be this in it.

    Raises TeamNotFound, TeamForbidden, GrantsTooMuch.
    """
    _, own = await enter(ctx, team_id)
    check_gives(check(ctx, own, Deed.PEOPLE), role)


async def still_invites(ctx: Ctx, team_id: UUID, maker_id: UUID, role: TeamRole) -> bool:
    """Whether who made an invitation into a team may still do that."""
    held = await held_by(ctx, maker_id)
    seat = await queries.find_seat(ctx, team_id, maker_id)
    power = rules.power(None if seat is None else seat.role, manages=TEAM_MANAGE in held)
    return power is not None and rules.may(power, Deed.PEOPLE) and rules.rank(role) <= rules.rank(power)


async def seat(ctx: Ctx, *, team_id: UUID, user_id: UUID, role: TeamRole) -> bool:
    """Put an active member, who stays one until the transaction ends, into a team; False when they are in it.

    Raises TeamNotFound, TeamFull.
    """
    if await queries.lock_team(ctx, team_id) is None:
        raise TeamNotFound
    seats = await queries.seats_of(ctx, team_id)
    if any(each.user_id == user_id for each in seats):
        return False
    # Under the team's lock, so of two who come at once where one place is left one gets it.
    if len(seats) >= ctx.settings.communities.per_team:
        raise TeamFull
    await queries.put_seat(ctx, team_id, user_id, role)
    ctx.record(TeamEntered(team_id=team_id, user_id=user_id, by_id=ctx.user_id, role=role))
    return True


async def withdraw(ctx: Ctx, user_id: UUID) -> None:
    """Take somebody out of every team: they leave the community, or it is closed to them.

    A team whose last owner goes is owned by who is highest in it, and came first; one that nobody is left in waits for
    those who manage teams.
    """
    by_id = ctx.actor.user_id or user_id
    for team_id in await queries.lock_teams_of(ctx, user_id):
        await queries.remove_seat(ctx, team_id, user_id)
        ctx.record(TeamLeft(team_id=team_id, user_id=user_id, by_id=by_id))
        left = [rules.Seat(each.user_id, each.role, each.joined_at) for each in await queries.seats_of(ctx, team_id)]
        if (next_owner := rules.heir(left)) is not None:
            await queries.put_role(ctx, team_id, next_owner, TeamRole.OWNER)
            ctx.record(TeamInherited(team_id=team_id, user_id=next_owner))
    await queries.end_requests_of(ctx, user_id)

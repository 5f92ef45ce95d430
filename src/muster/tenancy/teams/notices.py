"""What people are told of teams, in the product and by mail. Whoever did it is not told."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.work.errands import Errand
from muster.notifications.commands import tell
from muster.notifications.crowds import BATCH, Person, tell_crowd
from muster.tenancy.notices import CommunityMail
from muster.tenancy.queries import find_status
from muster.tenancy.tables import MemberStatus, RequestStatus
from muster.tenancy.teams import queries
from muster.tenancy.teams.facts import (
    TeamApproved,
    TeamAsked,
    TeamDeleted,
    TeamInherited,
    TeamInvited,
    TeamLeft,
    TeamRejected,
    TeamRequestFact,
    TeamRoleChanged,
)
from muster.tenancy.teams.tables import TeamRequestWay
from muster.tenancy.teams.views import TeamRequestView, TeamView


class _TeamMail(CommunityMail):
    """Base of mails about a team."""

    kind: ClassVar[str] = "tenancy.team"
    team_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the team is gone."""
        return await self.of_team(ctx)

    async def of_team(self, ctx: Ctx, reason: str | None = None) -> Letter | None:
        """The letter with the names of both."""
        team = await queries.find_name(ctx.db, self.team_id)
        return None if team is None else await self.told(ctx, {"team": team, "reason": reason})


class _RequestMail(_TeamMail):
    """Base of mails about somebody's way into a team. status: how far it is then."""

    kind: ClassVar[str] = "tenancy.team_request"
    status: ClassVar[RequestStatus] = RequestStatus.PENDING
    request_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it is elsewhere by now."""
        request = await queries.read_request(ctx, self.request_id)
        return None if request is None or request.status != self.status else await self.of_team(ctx, request.reason)


class TeamInvitedMail(_RequestMail):
    """To whom a team wants."""

    kind: ClassVar[str] = "tenancy.team_invited"


class TeamAskedMail(_RequestMail):
    """To who runs a team: somebody asks to be in it."""

    kind: ClassVar[str] = "tenancy.team_asked"


class TeamApprovedMail(_RequestMail):
    """To who asked: they are in the team."""

    kind: ClassVar[str] = "tenancy.team_approved"
    status: ClassVar[RequestStatus] = RequestStatus.APPROVED


class TeamRejectedMail(_RequestMail):
    """To who asked: they do not get in."""

    kind: ClassVar[str] = "tenancy.team_rejected"
    status: ClassVar[RequestStatus] = RequestStatus.REJECTED


class TeamRemovedMail(_TeamMail):
    """To who was removed."""

    kind: ClassVar[str] = "tenancy.team_removed"


class TeamRoleMail(_TeamMail):
    """To who is something else in a team."""

    kind: ClassVar[str] = "tenancy.team_role"


class TeamInheritedMail(_TeamMail):
    """To who owns a team whose last owner is gone."""

    kind: ClassVar[str] = "tenancy.team_inherited"


class TeamDeletedMail(CommunityMail):
    """To who was in a team that is no more. name: of the team."""

    kind: ClassVar[str] = "tenancy.team_deleted"
    name: str

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have left the community, too."""
        is_member = await find_status(ctx, user_id) == MemberStatus.ACTIVE
        return await self.told(ctx, {"team": self.name}) if is_member else None


async def tell_invited(ctx: Ctx, fact: TeamInvited) -> None:
    """Tell somebody that a team wants them, unless they and who says so have blocked each other."""
    mail = TeamInvitedMail(team_id=fact.team_id, request_id=fact.request_id)
    if await queries.may_meet(ctx, fact.by_id, fact.user_id):
        await _tell_of_request(ctx, fact, fact.user_id, "TEAM_INVITED", mail)


async def tell_asked(ctx: Ctx, fact: TeamAsked) -> None:
    """Tell who runs a team that somebody asks to be in it."""
    mail = TeamAskedMail(team_id=fact.team_id, request_id=fact.request_id)
    for user_id in await queries.runners_of(ctx, fact.team_id):
        if await queries.may_meet(ctx, fact.user_id, user_id):
            await _tell_of_request(ctx, fact, user_id, "TEAM_ASKED", mail)


async def tell_approved(ctx: Ctx, fact: TeamApproved) -> None:
    """Tell the other side that they said yes: by mail who asked, in the product alone who invited."""
    mail = TeamApprovedMail(team_id=fact.team_id, request_id=fact.request_id)
    await _tell_other_side(ctx, fact, "TEAM_APPROVED", mail)


async def tell_rejected(ctx: Ctx, fact: TeamRejected) -> None:
    """Tell the other side that they said no."""
    mail = TeamRejectedMail(team_id=fact.team_id, request_id=fact.request_id)
    await _tell_other_side(ctx, fact, "TEAM_REJECTED", mail)


async def tell_left(ctx: Ctx, fact: TeamLeft) -> None:
    """Tell who was removed from a team. Who left it knows, and whom the community removed or suspended is told that."""
    is_member = await find_status(ctx, fact.user_id) == MemberStatus.ACTIVE
    if is_member and fact.user_id != fact.by_id:
        await _tell_of_team(ctx, fact.team_id, fact.user_id, "TEAM_REMOVED", TeamRemovedMail(team_id=fact.team_id))


async def tell_role_changed(ctx: Ctx, fact: TeamRoleChanged) -> None:
    """Tell somebody that they are something else in a team."""
    if fact.user_id != fact.by_id:
        mail = TeamRoleMail(team_id=fact.team_id)
        await _tell_of_team(ctx, fact.team_id, fact.user_id, "TEAM_ROLE_CHANGED", mail, role=fact.role)


async def tell_inherited(ctx: Ctx, fact: TeamInherited) -> None:
    """Tell somebody that a team is theirs now."""
    mail = TeamInheritedMail(team_id=fact.team_id)
    await _tell_of_team(ctx, fact.team_id, fact.user_id, "TEAM_INHERITED", mail)


async def tell_deleted(errand: Errand, fact: TeamDeleted) -> None:
    """Tell everybody who was in a team that it is no more."""

    async def following(_ctx: Ctx, last: UUID) -> list[Person]:
        return [Person(each) for each in sorted(fact.people) if each > last][:BATCH]

    data, mail = {"teamId": fact.team_id, "name": fact.name}, TeamDeletedMail(name=fact.name)
    await tell_crowd(errand, following, kind="TEAM_DELETED", data=data, mail=mail, but=fact.by_id)


async def _tell_other_side(ctx: Ctx, fact: TeamRequestFact, kind: str, mail: Mail) -> None:
    request = await queries.read_request(ctx, fact.request_id)
    if request is None:
        return
    if request.way == TeamRequestWay.ASKED:
        await _tell_of_request(ctx, fact, fact.user_id, kind, mail)
    else:
        await _tell_of_request(ctx, fact, request.made_by, kind, None)


async def _tell_of_request(ctx: Ctx, fact: TeamRequestFact, user_id: UUID, kind: str, mail: Mail | None) -> None:
    data = {"teamId": fact.team_id, "userId": fact.user_id}
    await tell(ctx, user_id=user_id, kind=kind, data=data, about=TeamRequestView.ref(fact.request_id), mail=mail)


async def _tell_of_team(ctx: Ctx, team_id: UUID, user_id: UUID, kind: str, mail: Mail, **more: object) -> None:
    await tell(
        ctx, user_id=user_id, kind=kind, data={"teamId": team_id, **more}, about=TeamView.ref(team_id), mail=mail
    )

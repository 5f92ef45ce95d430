"""Inviting the people of a file: good rows go, and each bad one says why it does not."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import AppError
from muster.kit.views.results import Payload
from muster.tenancy import queries as tenancy
from muster.tenancy import rules as tenancy_rules
from muster.tenancy.commands.invitations import INVITE, MEMBER_INVITE, Days, TooManyInvitations, TooManyLetters
from muster.tenancy.facts import InvitationMade, InvitationSentAgain
from muster.tenancy.granting import check_grant
from muster.tenancy.inviting import queries
from muster.tenancy.inviting.rules import MOST, InvitationRow, Refusal, Wanted, read_rows
from muster.tenancy.queries import Invited, Terms
from muster.tenancy.tables import MemberStatus
from muster.tenancy.teams import seating
from muster.tenancy.teams.tables import TeamRole

MEMBER_REMOVE = Permission("member:remove")
"""Who may do this knows who is a member, and is told."""


class InvitationOutcome(StrEnum):
    """What became of a row.

    INVITED: the address has an invitation now. AGAIN: it had one, which says by now what the row does; mailed once more
    where anything is new. REFUSED: nothing was done.
    """

    INVITED = "INVITED"
    AGAIN = "AGAIN"
    REFUSED = "REFUSED"


class InvitedRow(Payload):
    """What became of one row.

    row: its number, from 1 on. email: as it stands there, in small letters. outcome: what that was. code: why it was
    refused, for programs; empty otherwise. reason: the same for people.
    """

    row: int
    email: str
    outcome: InvitationOutcome
    code: str = ""
    reason: str = ""


class InvitationReport(Payload):
    """What became of a list.

    invited: how many rows made an invitation. again: how many had one already. refused: how many came to nothing.
    rows: each of them, in their order.
    """

    invited: int
    again: int
    refused: int
    rows: list[InvitedRow]


Rows = Annotated[list[InvitationRow], Meta(min_length=1, max_length=MOST, description="Whom to invite, row by row.")]


@command("POST /invitation-lists", "inviteMembers", allow=member, permission=MEMBER_INVITE, limit=INVITE)
async def invite_members(ctx: Ctx, *, rows: Rows, days: Days = 7) -> InvitationReport:
    """Invite the people of a list by mail. Each row is answered for by itself; the good ones go whatever the others are.

    Sent again, it mails nobody anew. Whether an address is a member's is told to who may remove members, and to nobody else.
    """
    most = ctx.settings.communities.letters
    read = list(read_rows(enumerate(rows, 1), {}))
    told = await invite_rows(ctx, read, days=days, most=most, tells_members=ctx.may(MEMBER_REMOVE))
    outcomes = [each.outcome for each in told]
    return InvitationReport(
        invited=outcomes.count(InvitationOutcome.INVITED),
        again=outcomes.count(InvitationOutcome.AGAIN),
        refused=outcomes.count(InvitationOutcome.REFUSED),
        rows=told,
    )


async def invite_rows(
    ctx: Ctx, rows: Sequence[tuple[Wanted, Refusal | None]], *, days: int, most: int | None, tells_members: bool
) -> list[InvitedRow]:
    """Invite the people of some rows, as the acting person.

    rows: as `read_rows` gave them. most: how many letters the community mails within an hour; None is any number.
    tells_members: whether a row of a member says so.
    """
    # Until the end nobody else here invites anybody by mail, so what is counted and found missing stays so.
    mailed = await tenancy.lock_letters(ctx)
    run = _Run(ctx, rows, timedelta(days=days))
    await run.check_roles()
    # All invitations before all teams, as everybody locks them.
    found = await queries.lock_invitations_of(ctx, run.emails)
    await run.check_teams()
    if tells_members:
        await run.check_members()
    return await run.write(found, room=None if most is None else most - mailed.letters)


class _Run:
    """Rows on their way. refused: why some of them come to nothing, by their numbers."""

    def __init__(self, ctx: Ctx, rows: Sequence[tuple[Wanted, Refusal | None]], lifetime: timedelta) -> None:
        self.ctx, self.lifetime = ctx, lifetime
        self.rows = [wanted for wanted, _ in rows]
        self.refused = {wanted.number: problem for wanted, problem in rows if problem is not None}
        self.teams: dict[str, UUID] = {}

    @property
    def left(self) -> list[Wanted]:
        """The rows that nothing is wrong with so far."""
        return [each for each in self.rows if each.number not in self.refused]

    @property
    def emails(self) -> list[str]:
        """The addresses of these, in one order."""
        return sorted(each.email for each in self.left)

    def _refuse(self, rows: Iterable[Wanted], problem: Refusal) -> None:
        self.refused |= dict.fromkeys((each.number for each in rows), problem)

    async def check_roles(self) -> None:
        """Refuse the rows whose role there is not, or is not for the acting person to give."""
        for role in sorted({each.role for each in self.left}):
            try:
                await check_grant(self.ctx, role)
            except AppError as error:
                self._refuse([each for each in self.left if each.role == role], Refusal.of(error))

    async def check_teams(self) -> None:
        """Lock the teams that rows name, and refuse the rows of those that are not for the acting person to lead into."""
        named = {each.team for each in self.left if each.team}
        seen = await queries.teams_named(self.ctx, named) if named else []
        for name in sorted(named):
            fitting = [each for each in seen if name in (each.name, str(each.id))]
            if len(fitting) == 1:
                self.teams[name] = fitting[0].id
            else:
                why = _SEVERAL_TEAMS if fitting else Refusal.of(seating.TeamNotFound())
                self._refuse([each for each in self.left if each.team == name], why)
        for team_id in sorted(set(self.teams.values())):
            try:
                await seating.check_invites(self.ctx, team_id, TeamRole.MEMBER)
            except AppError as error:
                rows = [each for each in self.left if self.teams.get(each.team) == team_id]
                self._refuse(rows, Refusal.of(error))

    async def check_members(self) -> None:
        """Refuse the rows whose people are where the row would bring them, or suspended."""
        standings = await queries.standings_of(self.ctx, self.emails)
        for each in self.left:
            own = standings.get(each.email)
            if own is None or own.status not in (MemberStatus.ACTIVE, MemberStatus.SUSPENDED):
                continue
            team_id = self.teams.get(each.team)
            if own.status == MemberStatus.SUSPENDED:
                self._refuse([each], _SUSPENDED)
            elif team_id is None or team_id in own.teams:
                self._refuse([each], _MEMBER)

    async def write(self, found: dict[str, Invited], *, room: int | None) -> list[InvitedRow]:
        """Invite whom nothing speaks against, the first rows first where not all may be mailed."""
        blocked = await queries.blocked_of(self.ctx, list(found))
        letters = await tenancy.letters_to(self.ctx, self.emails)
        for each in self.left:
            known, terms = found.get(each.email), self._terms(each)
            if known is not None and known.has(terms) and known.expires_at > self.ctx.now and each.email not in blocked:
                continue
            counted = self._count(known)
            if counted is None or letters.get(each.email, 0) >= tenancy_rules.LETTERS_AN_HOUR:
                self._refuse([each], Refusal.of(TooManyLetters()))
            elif room is not None and room <= 0:
                self._refuse([each], Refusal.of(TooManyInvitations()))
            else:
                room = None if room is None else room - 1
                self._mail(each.email, known, terms, counted)
        return [self._answer(each, found) for each in self.rows]

    def _terms(self, wanted: Wanted) -> Terms:
        team_id = self.teams.get(wanted.team)
        team_role = None if team_id is None else TeamRole.MEMBER
        return Terms(wanted.role, self.lifetime, team_id, team_role, wanted.language)

    def _count(self, known: Invited | None) -> tuple[int, datetime] | None:
        """The letters of an invitation and the beginning of their hour, with one more; None when it has had its share."""
        if known is None:
            return 1, self.ctx.now
        return tenancy_rules.count_letter(known.letters, known.letters_since, self.ctx.now)

    def _mail(self, email: str, known: Invited | None, terms: Terms, counted: tuple[int, datetime]) -> None:
        if known is None:
            self.ctx.record(InvitationMade(invitation_id=queries.put(self.ctx, email, terms)))
        else:
            terms = terms._replace(language=terms.language or known.language)
            queries.renew(self.ctx, known.id, terms, letters=counted[0], since=counted[1])
            self.ctx.record(InvitationSentAgain(invitation_id=known.id))

    def _answer(self, wanted: Wanted, found: dict[str, Invited]) -> InvitedRow:
        problem = self.refused.get(wanted.number)
        if problem is None:
            outcome = InvitationOutcome.AGAIN if wanted.email in found else InvitationOutcome.INVITED
            return InvitedRow(row=wanted.number, email=wanted.email, outcome=outcome)
        code, reason = problem
        refused = InvitationOutcome.REFUSED
        return InvitedRow(row=wanted.number, email=wanted.email, outcome=refused, code=code, reason=reason)


_MEMBER = Refusal("ALREADY_MEMBER", "this is a member already")
_SUSPENDED = Refusal("MEMBER_SUSPENDED", "this member is suspended; lift that first")
_SEVERAL_TEAMS = Refusal("TEAM_UNCLEAR", "several teams have this name; write the id of the one that is meant")

"""Inviting people, by mail and by link, and taking invitations back."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.identity.commands import Email, Locale, normal_email
from muster.identity.seals import invitation_token
from muster.kit.arguments import Input
from muster.kit.caller import Permission, member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, NotFound, TooMany
from muster.kit.limits import Rule, limit
from muster.kit.views.results import Payload
from muster.tenancy import queries, rules
from muster.tenancy.commands.members import RoleName
from muster.tenancy.facts import InvitationMade, InvitationRevoked, InvitationSentAgain
from muster.tenancy.granting import check_grant
from muster.tenancy.queries import Invited, Mailed, Terms
from muster.tenancy.tables import InvitationStatus, InvitationWay
from muster.tenancy.teams import seating
from muster.tenancy.teams.tables import TeamRole
from muster.tenancy.views import InvitationView

INVITE = limit("invite", Rule(100, 3600), meaning="inviting people", without_store="closed")
MEMBER_INVITE = Permission("member:invite")
HOUR = timedelta(hours=1)

Days = Annotated[int, Meta(ge=1, le=90, description="How many days it is good.")]


class InvitationNotFound(NotFound):
    """This community has no such invitation."""

    code = "INVITATION_NOT_FOUND"


class InvitationOver(Conflict):
    """This invitation was answered, taken back, or has expired; make a new one."""

    code = "INVITATION_OVER"


class TooManyLetters(TooMany):
    """This address was invited three times within the hour; wait before you have it mailed again."""

    code, title = "TOO_MANY_LETTERS", "Mailed often enough"


class TooManyInvitations(TooMany):
    """This community has mailed as many invitations as it may within an hour; go on later."""

    code, title = "TOO_MANY_INVITATIONS", "Invited often enough"


class InviteMemberInput(Input):
    """Who is invited, and as what.

    days: how long the invitation is good. team_id: a team that they are invited into, too. team_role: as what.
    language: of the letter, for who has no account that says it; else that of the community.
    """

    email: Email
    role: RoleName = "participant"
    days: Days = 7
    team_id: UUID | None = None
    team_role: TeamRole = TeamRole.MEMBER
    language: Locale | None = None


class CreateInvitationLinkInput(Input):
    """What a link is good for.

    max_uses: how many people may come in by it; any number when absent. days: how long the link is good.
    team_id: a team that it leads into, too; members of the community come into that by it. team_role: as what.
    """

    role: RoleName = "participant"
    days: Days = 7
    max_uses: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    team_id: UUID | None = None
    team_role: TeamRole = TeamRole.MEMBER


class InvitationLink(Payload):
    """A link that lets people in, told only now.

    token: what the link holds, for `acceptInvitation`. url: where the link leads.
    """

    status = 201

    invitation: InvitationView
    token: str
    url: str


@command("POST /invitations", "inviteMember", allow=member, permission=MEMBER_INVITE, limit=INVITE, answers=(200, 201))
async def invite(ctx: Ctx, *, input: InviteMemberInput) -> InvitationView:
    """Invite somebody by mail. Whether the address has an account, or is a member's, makes no difference to the answer.

    An address has one open invitation: inviting it again changes that one, and mails it where anything is new.
    Raises Invalid, GrantsTooMuch, TooManyLetters, TooManyInvitations, TeamNotFound, TeamForbidden.
    """
    await check_grant(ctx, input.role, field="input.role")
    mailed = await queries.lock_letters(ctx)
    email, terms = normal_email(input.email), _terms(input)._replace(language=input.language)
    # Before the team, in which order whoever accepts it locks them.
    found = await queries.lock_invitation_of(ctx, email)
    await _check_team(ctx, input)
    if found is None:
        await _check_letters(ctx, mailed, email)
        made = await queries.put_invitation(ctx, terms, way=InvitationWay.MAIL, email=email, max_uses=1)
        if made is not None:
            ctx.record(InvitationMade(invitation_id=made))
            return InvitationView.ref(made, created=True)
        found = await queries.lock_invitation_of(ctx, email)
    if found is None:
        raise InvitationOver
    # One of somebody who is blocked was never mailed, and must not stand in the way of another's.
    is_over = found.expires_at <= ctx.now or not await queries.is_welcome(ctx.db, found)
    if is_over or not found.has(terms):
        await _check_letters(ctx, mailed, email)
        await _renew(ctx, found, terms)
        ctx.record(InvitationSentAgain(invitation_id=found.id))
    return InvitationView.ref(found.id)


def _terms(input: InviteMemberInput | CreateInvitationLinkInput) -> Terms:
    team_role = None if input.team_id is None else input.team_role
    return Terms(input.role, timedelta(days=input.days), input.team_id, team_role)


async def _check_letters(ctx: Ctx, mailed: Mailed, email: str) -> None:
    """Make sure that one more letter may go to an address, under the lock of all of them.

    Raises TooManyInvitations, TooManyLetters.
    """
    check_share(ctx, mailed)
    # Taking an invitation back and making it anew gives nobody more letters.
    if (await queries.letters_to(ctx, [email])).get(email, 0) >= rules.LETTERS_AN_HOUR:
        raise TooManyLetters


def check_share(ctx: Ctx, mailed: Mailed) -> None:
    """Make sure that the community may mail one more, under the lock of its letters. Raises TooManyInvitations."""
    most = ctx.settings.communities.letters
    if mailed.letters >= most and mailed.since is not None:
        says = f"A community mails {most} invitations an hour"
        raise TooManyInvitations.past_share(
            says, since=mailed.since, within=HOUR, now=ctx.now, count=mailed.letters, most=most
        )


async def _check_team(ctx: Ctx, input: InviteMemberInput | CreateInvitationLinkInput) -> None:
    if input.team_id is not None:
        await seating.check_invites(ctx, input.team_id, input.team_role)


async def _renew(ctx: Ctx, found: Invited, terms: Terms) -> None:
    """Let a locked invitation rest on who acts, and mail it. Raises TooManyLetters."""
    counted = rules.count_letter(found.letters, found.letters_since, ctx.now)
    if counted is None:
        raise TooManyLetters
    terms = terms._replace(language=terms.language or found.language)
    await queries.renew_invitation(ctx, found.id, terms, letters=counted[0], since=counted[1])


@command(
    "POST /invitation-links",
    "createInvitationLink",
    allow=member,
    permission=MEMBER_INVITE,
    limit=INVITE,
)
async def create_link(ctx: Ctx, *, input: CreateInvitationLinkInput) -> InvitationLink:
    """Make a link that lets in whoever has it, until it expires, is used up, or is taken back. It is told only now.

    Raises Invalid, GrantsTooMuch, TeamNotFound, TeamForbidden.
    """
    await check_grant(ctx, input.role, field="input.role")
    await _check_team(ctx, input)
    made = await queries.put_invitation(ctx, _terms(input), way=InvitationWay.LINK, email=None, max_uses=input.max_uses)
    if made is None:
        raise LookupError("nothing is in the way of a link")
    ctx.record(InvitationMade(invitation_id=made))
    token = invitation_token(ctx.settings.security.jwt_secret, ctx.tenant_id, made)
    url = f"{ctx.settings.addresses.app}/invitation?token={token}"
    return InvitationLink(invitation=InvitationView.ref(made), token=token, url=url)


@command("POST /invitations/{id}/letters", "resendInvitation", allow=member, permission=MEMBER_INVITE, limit=INVITE)
async def resend(ctx: Ctx, *, id: UUID) -> InvitationView:
    """Mail an invitation once more, three times an hour at most; from then on it rests on who had it mailed.

    Raises InvitationNotFound, InvitationOver, Invalid, GrantsTooMuch, TooManyLetters, TooManyInvitations.
    """
    mailed = await queries.lock_letters(ctx)
    found = await queries.lock_invitation(ctx, id)
    if found is None:
        raise InvitationNotFound
    if found.email is None or not found.is_good(ctx.now):
        raise InvitationOver
    await check_grant(ctx, found.role)
    if found.team_id is not None and found.team_role is not None:
        await seating.check_invites(ctx, found.team_id, TeamRole(found.team_role))
    await _check_letters(ctx, mailed, found.email)
    left = found.expires_at - ctx.now
    await _renew(ctx, found, Terms(found.role, left, found.team_id, found.team_role, found.language))
    ctx.record(InvitationSentAgain(invitation_id=id))
    return InvitationView.ref(id)


@command("DELETE /invitations/{id}", "revokeInvitation", allow=member, permission=MEMBER_INVITE, limit=INVITE)
async def revoke(ctx: Ctx, *, id: UUID) -> InvitationView:
    """Take an invitation or a link back; who came in by it stays. Twice is once.

    Raises InvitationNotFound, InvitationOver.
    """
    found = await queries.lock_invitation(ctx, id)
    if found is None:
        raise InvitationNotFound
    if found.status not in (InvitationStatus.PENDING, InvitationStatus.REVOKED):
        raise InvitationOver
    if found.status == InvitationStatus.PENDING:
        await queries.end_invitation(ctx, id, InvitationStatus.REVOKED)
        ctx.record(InvitationRevoked(invitation_id=id))
    return InvitationView.ref(id)

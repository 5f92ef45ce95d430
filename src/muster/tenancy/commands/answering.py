"""Answering an invitation: reading it, accepting it, declining it. Whoever answers is outside the community yet."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.identity import queries as identity
from muster.identity.commands import (
    LinkInvalid,
    NewPassword,
    PersonName,
    checked_password,
    open_account,
    set_password,
    verify_address,
)
from muster.identity.queries import Mailbox
from muster.identity.seals import LONGEST_TOKEN, read_invitation_token
from muster.kit.caller import Claim, EmailNotVerified, Permission, TenantStatus, signed_in, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Denied, Gone, Invalid
from muster.kit.limits import API, AUTH
from muster.kit.views.results import Payload
from muster.tenancy import queries
from muster.tenancy.commands.admission import admit
from muster.tenancy.facts import InvitationAccepted, InvitationDeclined
from muster.tenancy.granting import GrantsTooMuch, check_grant, held_by
from muster.tenancy.queries import Invited
from muster.tenancy.rules import Way
from muster.tenancy.tables import InvitationStatus, InvitationWay
from muster.tenancy.teams import queries as teams
from muster.tenancy.teams import seating
from muster.tenancy.teams.tables import TeamRole
from muster.tenancy.views import TenantView

Token = Annotated[
    str,
    Meta(
        max_length=LONGEST_TOKEN,
        examples=["0193b1f0a4c07d3e9a51c8f3a2b4d6e8.0193b1f0a4c07d3e9a51c8f3a2b4d6e8.kq3v"],
        description="From the link of the invitation.",
    ),
]


class InvitationForAnother(Denied):
    """This invitation is for another mail address: sign in to the account that has it, or open one."""

    code = "INVITATION_FOR_ANOTHER"


class InvitationVoid(Gone):
    """Whoever invited you may not do that any more; ask somebody else who runs the community."""

    code, title = "INVITATION_VOID", "This invitation does not count any more"


class NextStep(StrEnum):
    """What it takes to accept an invitation.

    JOIN: nothing but the word. SET_PASSWORD: a password for the account, which was never shown to be the address's.
    REGISTER: a name and a password. SIGN_IN: an account, whichever.
    """

    JOIN = "JOIN"
    SET_PASSWORD = "SET_PASSWORD"  # noqa: S105 - a step, not a secret
    REGISTER = "REGISTER"
    SIGN_IN = "SIGN_IN"


class InvitationSeen(Payload):
    """An invitation as who has it reads it.

    email: whom it is to; empty for a link. role: what they would be. team: the name of the team that they would be in,
    too; empty where there is none.
    """

    tenant: TenantView
    way: InvitationWay
    email: str
    role: str
    team: str
    next_step: NextStep


@command("POST /invitations/reading", "readInvitation", allow=whoever, limit=AUTH)
async def read(ctx: Ctx, *, token: Token) -> InvitationSeen:
    """What an invitation is about; nothing is used up.

    Raises LinkInvalid.
    """
    invited = await _find(ctx, token)
    return InvitationSeen(
        tenant=TenantView.ref(ctx.tenant_id),
        way=invited.way,
        email=invited.email or "",
        role=invited.role,
        team=await teams.find_name(ctx.db, invited.team_id) or "",
        next_step=NextStep.SIGN_IN if invited.email is None else await next_step(ctx, invited.email),
    )


@command("POST /invitations/acceptance", "acceptInvitation", allow=signed_in, limit=API)
async def accept(ctx: Ctx, *, token: Token) -> TenantView:
    """Come in by an invitation, as the person who asks.

    Raises LinkInvalid, InvitationVoid, InvitationForAnother, EmailNotVerified, SeatsTaken, TeamFull, MemberIsSuspended, WasRemoved.
    """
    invited = await _find(ctx, token)
    mailbox = await identity.mailbox(ctx.db, ctx.user_id)
    if mailbox is None:
        raise LinkInvalid
    if invited.email is None:
        await _check_verified(ctx, mailbox)
    elif mailbox.email != invited.email:
        raise InvitationForAnother
    else:
        await verify_address(ctx, ctx.user_id, invited.email)
    await _come_in(ctx, invited, ctx.user_id)
    return TenantView.ref(ctx.tenant_id)


async def _hash_new(
    services: Services, claim: Claim, *, token: str, name: str | None, password: str | None
) -> str | None:
    """The hash of an acceptable password, where one is given."""
    if password is None:
        return None
    found = read_invitation_token(services.settings.security.secrets, token)
    if found is None:
        raise LinkInvalid
    async with services.database.transaction(found[0]) as tx:
        invited = await queries.read_invitation(tx, found[1])
    if invited is None or invited.email is None:
        raise LinkInvalid
    return await checked_password(password, field="password", known=(name or "", invited.email))


@command("POST /invitations/mailed-acceptance", "acceptMailedInvitation", allow=whoever, limit=AUTH, prepare=_hash_new)
async def accept_mailed(
    ctx: Ctx,
    *,
    token: Token,
    name: PersonName | None = None,
    password: NewPassword | None = None,
    prepared: str | None,
) -> TenantView:
    """Come in by an invitation that was mailed, as the address's own account; whoever has the letter has shown that.

    `readInvitation` says what is needed. name: of a new account. password: of a new account, or of one whose address
    was never verified: everybody who is signed in to that is then signed out.
    Raises LinkInvalid, InvitationVoid, Invalid, EmailTaken, SeatsTaken, TeamFull, MemberIsSuspended, WasRemoved.
    """
    invited = await _find(ctx, token)
    if invited.email is None:
        raise LinkInvalid
    user_id = await act_as_address(ctx, invited.email, name=name, hashed=prepared)
    await _come_in(ctx, invited, user_id)
    return TenantView.ref(ctx.tenant_id)


async def act_as_address(ctx: Ctx, email: str, *, name: str | None, hashed: str | None) -> UUID:
    """Have the person of a mail address act, since whoever has a letter to it has shown that they are; answers with who.

    name, hashed: of a new account, and the hash of its password, which one whose address was never verified needs, too:
    everybody who is signed in to that is then signed out. Raises LinkInvalid, Invalid, EmailTaken for an account that somebody opens meanwhile.
    """
    step, tenant_id = await next_step(ctx, email), ctx.tenant_id
    if step is NextStep.JOIN and hashed is not None:
        raise Invalid.field("password", "leave it out: this address has an account, with a password of its own")
    if step is NextStep.REGISTER:
        await _register(ctx, email=email, name=name, hashed=hashed)
    user_id = await identity.user_by_email(ctx, email)
    if user_id is None:
        raise LinkInvalid
    if step is NextStep.SET_PASSWORD:
        await set_password(ctx, user_id, _needed(hashed))
        await verify_address(ctx, user_id, email)
    ctx.act_as(user_id)
    await ctx.enter(tenant_id)
    return user_id


@command("POST /invitations/refusal", "declineInvitation", allow=whoever, limit=AUTH)
async def decline(ctx: Ctx, *, token: Token) -> None:
    """Say that one does not want to come. Only what was mailed can be declined.

    Raises LinkInvalid.
    """
    invited = await _find(ctx, token)
    if invited.email is None:
        raise LinkInvalid
    await queries.end_invitation(ctx, invited.id, InvitationStatus.DECLINED)
    ctx.record(InvitationDeclined(invitation_id=invited.id))


async def _find(ctx: Ctx, token: str) -> Invited:
    """The good invitation of a token, locked, in its community. Raises LinkInvalid."""
    found = read_invitation_token(ctx.settings.security.secrets, token)
    if found is None:
        raise LinkInvalid
    tenant_id, invitation_id = found
    entrance = await queries.find_entrance(ctx.db, tenant_id)
    if entrance is None or entrance.status != TenantStatus.ACTIVE:
        raise LinkInvalid
    await ctx.enter(tenant_id)
    invited = await queries.lock_invitation(ctx, invitation_id)
    if invited is None or not invited.is_good(ctx.now):
        raise LinkInvalid
    return invited


async def next_step(ctx: Ctx, email: str) -> NextStep:
    """What it takes to act as the person of a mail address, for who has a letter to it."""
    user_id = await identity.user_by_email(ctx, email)
    mailbox = None if user_id is None else await identity.mailbox(ctx.db, user_id)
    if mailbox is None:
        return NextStep.REGISTER
    return NextStep.SET_PASSWORD if mailbox.verified_at is None else NextStep.JOIN


async def _check_verified(ctx: Ctx, mailbox: Mailbox) -> None:
    """A link says nothing of who has it, so its community asks of them what it asks of everybody."""
    entrance = await queries.find_entrance(ctx.db, ctx.tenant_id)
    if mailbox.verified_at is None and not (entrance is not None and entrance.allows_unverified):
        raise EmailNotVerified


async def _register(ctx: Ctx, *, email: str, name: str | None, hashed: str | None) -> None:
    """Open the account of an invited address, in the default community as everybody's is."""
    if name is None:
        raise Invalid.field("name", "is required: this address has no account yet", "REQUIRED")
    await ctx.enter(await queries.default_tenant(ctx))
    user_id = await open_account(ctx, name=name, email=email, verified=True)
    await identity.put_password(ctx, user_id=user_id, hashed=_needed(hashed))
    await queries.put_member(ctx, user_id=user_id, role="participant")


def _needed(hashed: str | None) -> str:
    if hashed is None:
        raise Invalid.field("password", "is required", "REQUIRED")
    return hashed


async def _come_in(ctx: Ctx, invited: Invited, user_id: UUID) -> None:
    """Admit somebody by a locked invitation, if who made it could still do that. Who gets in nowhere uses up nothing."""
    if not await queries.is_welcome(ctx.db, invited):
        raise InvitationVoid
    held = await held_by(ctx, invited.made_by)
    try:
        await check_grant(ctx, invited.role, held=held)
    except (Invalid, GrantsTooMuch) as refusal:
        raise InvitationVoid from refusal
    if Permission("member:invite") not in held:
        raise InvitationVoid
    is_new = await admit(ctx, user_id=user_id, role=invited.role, way=Way(invited.way))
    is_new = await _enter_team(ctx, invited, user_id) or is_new
    if invited.way == InvitationWay.MAIL:
        await queries.end_invitation(ctx, invited.id, InvitationStatus.ACCEPTED, user_id=user_id)
    if is_new:
        await queries.put_use(ctx, invited.id, user_id=user_id)
        ctx.record(InvitationAccepted(invitation_id=invited.id, user_id=user_id))


async def _enter_team(ctx: Ctx, invited: Invited, user_id: UUID) -> bool:
    """Put somebody who is a member by now into the team of a locked invitation; False where that changes nothing."""
    if invited.team_id is None or invited.team_role is None:
        return False
    role = TeamRole(invited.team_role)
    # A link lets each in once: who was removed from the team does not come back by it.
    if invited.way == InvitationWay.LINK and await queries.has_used(ctx, invited.id, user_id):
        return False
    if not await seating.still_invites(ctx, invited.team_id, invited.made_by, role):
        raise InvitationVoid
    return await seating.seat(ctx, team_id=invited.team_id, user_id=user_id, role=role)

"""What tenancy mails people."""

from collections.abc import Mapping
from typing import ClassVar
from uuid import UUID

from muster.identity import queries as identity
from muster.identity.mail import post_mail
from muster.identity.seals import invitation_token
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.mail.posting import post
from muster.kit.words import Value
from muster.tenancy import queries
from muster.tenancy.facts import InvitationFact, JoinRequestFact, MemberFact
from muster.tenancy.tables import MemberStatus, RequestStatus
from muster.tenancy.teams import queries as teams


class InvitationMail(Mail):
    """To who is invited."""

    kind: ClassVar[str] = "tenancy.invitation"
    invitation_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None once it was answered or taken back, or has expired."""
        invited = await queries.read_invitation(ctx.db, self.invitation_id)
        look = await queries.find_look(ctx.db, ctx.tenant_id)
        if invited is None or look is None or not invited.is_good(ctx.now):
            return None
        token = invitation_token(ctx.settings.security.jwt_secret, ctx.tenant_id, invited.id)
        return Letter(
            values={"community": look.name, "team": await teams.find_name(ctx.db, invited.team_id)},
            link=f"{ctx.settings.addresses.app}/invitation?token={token}",
        )


class CommunityMail(Mail):
    """Base of mails that tell what a community decided about somebody."""

    kind: ClassVar[str] = "tenancy.decision"

    async def told(self, ctx: Ctx, values: Mapping[str, Value]) -> Letter | None:
        """The letter with the community's name, and a way there."""
        look = await queries.find_look(ctx.db, ctx.tenant_id)
        return (
            None if look is None else Letter(values={"community": look.name, **values}, link=ctx.settings.addresses.app)
        )


class ApprovedMail(CommunityMail):
    """To who asked to join: they are a member."""

    kind: ClassVar[str] = "tenancy.approved"

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they are none any more."""
        return None if await queries.find_role(ctx, user_id) is None else await self.told(ctx, {})


class RejectedMail(CommunityMail):
    """To who asked to join: they do not get in."""

    kind: ClassVar[str] = "tenancy.rejected"
    request_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it is forgotten."""
        request = await queries.read_request(ctx.db, self.request_id)
        if request is None or request.status != RequestStatus.REJECTED:
            return None
        return await self.told(ctx, {"reason": request.reason})


class StandingMail(CommunityMail):
    """Base of mails to a member whose standing others changed. standing: what it then is."""

    kind: ClassVar[str] = "tenancy.standing"
    standing: ClassVar[MemberStatus] = MemberStatus.ACTIVE

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when it is another by now."""
        own = await queries.find_status(ctx, user_id)
        return await self.told(ctx, {}) if own == self.standing else None


class RemovedMail(StandingMail):
    """To who was removed."""

    kind: ClassVar[str] = "tenancy.removed"
    standing: ClassVar[MemberStatus] = MemberStatus.REMOVED


class SuspendedMail(StandingMail):
    """To who was suspended."""

    kind: ClassVar[str] = "tenancy.suspended"
    standing: ClassVar[MemberStatus] = MemberStatus.SUSPENDED


class ResumedMail(StandingMail):
    """To who was suspended and is a member again."""

    kind: ClassVar[str] = "tenancy.resumed"


async def mail_invitation(ctx: Ctx, fact: InvitationFact) -> None:
    """Mail an invitation, unless the address is of somebody who is in already, or blocked; whoever invited does not learn
    that.
    """
    invited = await queries.read_invitation(ctx.db, fact.invitation_id)
    if invited is None or invited.email is None or not invited.is_good(ctx.now):
        return
    user_id = await identity.user_by_email(ctx, invited.email)
    if await _is_in(ctx, invited, user_id) or not await queries.is_welcome(ctx.db, invited):
        return
    mailbox = None if user_id is None else await identity.mailbox(ctx.db, user_id)
    language = invited.language if mailbox is None else mailbox.locale
    mail = InvitationMail(invitation_id=invited.id)
    await post(ctx, mail, user_id=user_id, address=invited.email, language=language)


async def _is_in(ctx: Ctx, invited: queries.Invited, user_id: UUID | None) -> bool:
    """Whether somebody is where an invitation leads; a suspended member comes in nowhere."""
    status = None if user_id is None else await queries.find_status(ctx, user_id)
    if user_id is None or invited.team_id is None or status != MemberStatus.ACTIVE:
        return status in (MemberStatus.ACTIVE, MemberStatus.SUSPENDED)
    return await teams.find_seat(ctx, invited.team_id, user_id) is not None


async def mail_approved(ctx: Ctx, fact: JoinRequestFact) -> None:
    """Tell who asked that they are a member."""
    await post_mail(ctx, ApprovedMail(), user_id=fact.user_id)


async def mail_rejected(ctx: Ctx, fact: JoinRequestFact) -> None:
    """Tell who asked that they do not get in."""
    await post_mail(ctx, RejectedMail(request_id=fact.request_id), user_id=fact.user_id)


async def mail_removed(ctx: Ctx, fact: MemberFact) -> None:
    """Tell who was removed."""
    await post_mail(ctx, RemovedMail(), user_id=fact.user_id)


async def mail_suspended(ctx: Ctx, fact: MemberFact) -> None:
    """Tell who was suspended."""
    await post_mail(ctx, SuspendedMail(), user_id=fact.user_id)


async def mail_resumed(ctx: Ctx, fact: MemberFact) -> None:
    """Tell who was suspended that they are a member again."""
    await post_mail(ctx, ResumedMail(), user_id=fact.user_id)

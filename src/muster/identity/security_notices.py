"""What people are told when what guards their account changes, or is tried."""

from typing import ClassVar
from uuid import UUID

from muster.identity import queries
from muster.identity.facts import (
    BackupCodesRenewed,
    BackupCodeUsed,
    EmailChangeAsked,
    EmailChanged,
    SecondFactorAdded,
    SecondFactorRemoved,
    SecondFactorsLocked,
)
from muster.identity.mail import SecurityMail, post_mail
from muster.identity.queries import email as email_queries
from muster.identity.rules import Method, Side
from muster.identity.seals import link_token
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.mail.posting import post


class TotpAddedMail(SecurityMail):
    """An authenticator app was set up."""

    kind: ClassVar[str] = "identity.totp_added"


class TotpRemovedMail(SecurityMail):
    """The authenticator app was removed."""

    kind: ClassVar[str] = "identity.totp_removed"


class PasskeyAddedMail(SecurityMail):
    """A passkey was added."""

    kind: ClassVar[str] = "identity.passkey_added"


class PasskeyRemovedMail(SecurityMail):
    """A passkey was removed."""

    kind: ClassVar[str] = "identity.passkey_removed"


class CodesRenewedMail(SecurityMail):
    """There are fresh backup codes."""

    kind: ClassVar[str] = "identity.codes_renewed"


class CodesLockedMail(SecurityMail):
    """Somebody who knows the password gave wrong codes."""

    kind: ClassVar[str] = "identity.codes_locked"


class CodeUsedMail(SecurityMail):
    """Somebody came in with a backup code. left: how many there are yet."""

    kind: ClassVar[str] = "identity.code_used"
    left: int

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """With how many are left."""
        return self.told(ctx, left=self.left)


class EmailMail(Mail):
    """Base of mails about a change of address; nothing is sent once that has ended or expired."""

    kind: ClassVar[str] = "identity.email_change"
    side: ClassVar[Side | None] = None
    change_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """With the address that is wanted, and the link of this side."""
        change = await email_queries.read_change(ctx.db, self.change_id)
        if change is None or change.ended_at is not None or change.expires_at <= ctx.now:
            return None
        app, link = ctx.settings.addresses.app, None
        if self.side is not None:
            link = f"{app}/change-email?token={link_token(ctx.settings.security.jwt_secret, self.side, change.id)}"
        return Letter(values={"address": change.new_address}, link=link)


class EmailApproveMail(EmailMail):
    """To the old address: is this wanted?"""

    kind: ClassVar[str] = "identity.email_approve"
    side: ClassVar[Side | None] = Side.OLD


class EmailConfirmMail(EmailMail):
    """To the new address: is it yours?"""

    kind: ClassVar[str] = "identity.email_confirm"
    side: ClassVar[Side | None] = Side.NEW


class EmailTakenMail(EmailMail):
    """To a new address that has an account: somebody wanted to move another account there."""

    kind: ClassVar[str] = "identity.email_taken"


class EmailChangedMail(Mail):
    """To the old address: the account has another now."""

    kind: ClassVar[str] = "identity.email_changed"
    address: str

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """With the new address."""
        return Letter(values={"address": self.address})


_ADDED: dict[str, type[Mail]] = {Method.TOTP: TotpAddedMail, Method.PASSKEY: PasskeyAddedMail}
_REMOVED: dict[str, type[Mail]] = {Method.TOTP: TotpRemovedMail, Method.PASSKEY: PasskeyRemovedMail}


async def mail_factor_added(ctx: Ctx, fact: SecondFactorAdded) -> None:
    """Tell a person that they have one more second factor."""
    await post_mail(ctx, _ADDED[fact.factor](), user_id=fact.user_id)


async def mail_factor_removed(ctx: Ctx, fact: SecondFactorRemoved) -> None:
    """Tell a person that they have one second factor less."""
    await post_mail(ctx, _REMOVED[fact.factor](), user_id=fact.user_id)


async def mail_codes_renewed(ctx: Ctx, fact: BackupCodesRenewed) -> None:
    """Tell a person that they have fresh backup codes."""
    await post_mail(ctx, CodesRenewedMail(), user_id=fact.user_id)


async def mail_code_used(ctx: Ctx, fact: BackupCodeUsed) -> None:
    """Tell a person that one of their backup codes was used."""
    await post_mail(ctx, CodeUsedMail(left=fact.left), user_id=fact.user_id)


async def mail_codes_locked(ctx: Ctx, fact: SecondFactorsLocked) -> None:
    """Tell a person that somebody knows their password."""
    await post_mail(ctx, CodesLockedMail(), user_id=fact.user_id)


async def mail_email_change(ctx: Ctx, fact: EmailChangeAsked) -> None:
    """Ask both addresses. Of a new one that has an account the owner is told, and nobody else learns of that."""
    change = await email_queries.read_change(ctx.db, fact.change_id)
    mailbox = await queries.mailbox(ctx.db, fact.user_id)
    if change is None or mailbox is None:
        return
    if change.approved_at is None:
        await post_mail(ctx, EmailApproveMail(change_id=change.id), user_id=fact.user_id)
    owner_id = await queries.user_by_email(ctx, change.new_address)
    owner = None if owner_id is None else await queries.mailbox(ctx.db, owner_id)
    if owner_id is None or owner is None:
        mail: EmailMail = EmailConfirmMail(change_id=change.id)
        await post(ctx, mail, user_id=fact.user_id, address=change.new_address, language=mailbox.locale)
    else:
        mail = EmailTakenMail(change_id=change.id)
        await post(ctx, mail, user_id=owner_id, address=change.new_address, language=owner.locale)


async def mail_email_changed(ctx: Ctx, fact: EmailChanged) -> None:
    """Tell the old address, where it was known to be the person's."""
    change = await email_queries.read_change(ctx.db, fact.change_id)
    mailbox = await queries.mailbox(ctx.db, fact.user_id)
    if change is not None and mailbox is not None:
        mail = EmailChangedMail(address=change.new_address)
        await post(ctx, mail, user_id=fact.user_id, address=change.old_address, language=mailbox.locale)

"""What identity mails people, and the links in it."""

from datetime import timedelta
from typing import ClassVar
from uuid import UUID

from muster.identity import queries
from muster.identity.facts import (
    AccountLocked,
    IdentityLinked,
    PasswordChanged,
    RegisteredAgain,
    ResetAsked,
    RestoreAsked,
    SignedIn,
    SignInLinkAsked,
    VerificationAsked,
)
from muster.identity.mail import SecurityMail, post_mail
from muster.identity.queries import devices as device_queries
from muster.identity.rules import Device, is_known_device
from muster.identity.seals import link_token
from muster.identity.tables import LinkPurpose
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.mail.posting import post

_LIFETIMES = {
    LinkPurpose.VERIFY: timedelta(hours=24),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.UNLOCK: timedelta(hours=1),
    LinkPurpose.RESTORE: timedelta(hours=24),
    LinkPurpose.SIGN_IN: timedelta(minutes=15),
}
_PAGES = {
    LinkPurpose.VERIFY: "/verify",
    LinkPurpose.RESET: "/reset",
    LinkPurpose.UNLOCK: "/unlock",
    LinkPurpose.RESTORE: "/restore",
    LinkPurpose.SIGN_IN: "/sign-in/link",
}

# Of an account: until then its first session is its person's own.
_FRESH = timedelta(days=7)


class LinkMail(Mail):
    """Base of mails around a link; nothing is sent once that is used or has expired."""

    kind: ClassVar[str] = "identity.link"
    link_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The letter around the link."""
        link = await queries.read_link(ctx.db, self.link_id)
        if link is None or link.used_at is not None or link.expires_at <= ctx.now:
            return None
        token = link_token(ctx.settings.security.jwt_secret, link.purpose, link.id)
        return Letter(link=f"{ctx.settings.addresses.app}{_PAGES[link.purpose]}?token={token}")


class VerifyMail(LinkMail):
    """To who registered: show that this mail is yours."""

    kind: ClassVar[str] = "identity.verify"


class RegisteredAgainMail(LinkMail):
    """To who has an account already: somebody tried to open another with this mail."""

    kind: ClassVar[str] = "identity.registered_again"


class ResetMail(LinkMail):
    """To who forgot their password."""

    kind: ClassVar[str] = "identity.reset"


class SignInMail(LinkMail):
    """To who wants to sign in without a password."""

    kind: ClassVar[str] = "identity.sign_in"


class LockedMail(LinkMail):
    """To whose account rests: too many wrong passwords."""

    kind: ClassVar[str] = "identity.locked"


class RestoreMail(LinkMail):
    """To who closed their account and wants back in."""

    kind: ClassVar[str] = "identity.restore"


class PasswordChangedMail(SecurityMail):
    """To whose password was changed."""

    kind: ClassVar[str] = "identity.password_changed"


class IdentityLinkedMail(SecurityMail):
    """To who can sign in with one more provider."""

    kind: ClassVar[str] = "identity.identity_linked"
    provider: str

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The same whether it is still linked or not."""
        return self.told(ctx, provider=self.provider)


async def mail_identity_linked(ctx: Ctx, fact: IdentityLinked) -> None:
    """Tell a person that there is one more way into their account."""
    await post_mail(ctx, IdentityLinkedMail(provider=fact.provider), user_id=fact.user_id)


class NewDeviceMail(SecurityMail):
    """To whose account was signed in to like never before."""

    kind: ClassVar[str] = "identity.new_device"
    session_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """Nothing is sent of a session that is forgotten by now."""
        found = [each for each in await device_queries.opened(ctx, user_id) if each.id == self.session_id]
        if not found:
            return None
        (session,) = found
        return self.told(ctx, agent=session.agent, address=session.address, signed_in_at=session.created_at)


async def is_new_device(ctx: Ctx, fact: SignedIn) -> bool:
    """Whether an account was signed in to from where it never was before."""
    sessions = await device_queries.opened(ctx, fact.user_id)
    ids = [each.id for each in sessions]
    account_since = await device_queries.since(ctx, fact.user_id)
    if fact.session_id not in ids or account_since is None:
        return False
    at = ids.index(fact.session_id)
    if at == 0 and sessions[0].created_at - account_since < _FRESH:
        # The first time that somebody comes is no news to them.
        return False
    before = [Device(each.agent, each.address) for each in sessions[:at]]
    return not is_known_device(Device(sessions[at].agent, sessions[at].address), before)


async def mail_verification(ctx: Ctx, fact: VerificationAsked) -> None:
    """Mail the link that verifies an address, unless it is verified."""
    if fact.user_id is None:
        return
    mailbox = await queries.mailbox(ctx.db, fact.user_id)
    if mailbox is not None and mailbox.verified_at is None:
        await _mail_link(ctx, VerifyMail, LinkPurpose.VERIFY, fact.user_id)


async def mail_registered_again(ctx: Ctx, fact: RegisteredAgain) -> None:
    """Tell who has an account that somebody wanted another with their mail."""
    await _mail_link(ctx, RegisteredAgainMail, LinkPurpose.RESET, fact.user_id)


async def mail_reset(ctx: Ctx, fact: ResetAsked) -> None:
    """Mail the link that sets a new password."""
    if fact.user_id is not None:
        await _mail_link(ctx, ResetMail, LinkPurpose.RESET, fact.user_id)


async def mail_restore(ctx: Ctx, fact: RestoreAsked) -> None:
    """Mail the link that opens a closed account again, to whom there is one to open."""
    life = None if fact.user_id is None else await queries.life_of(ctx.db, fact.user_id)
    if fact.user_id is not None and life is not None and life.closed_at is not None and life.ended_at is None:
        await _mail_link(ctx, RestoreMail, LinkPurpose.RESTORE, fact.user_id)


async def mail_sign_in_link(ctx: Ctx, fact: SignInLinkAsked) -> None:
    """Mail the link that signs in."""
    if fact.user_id is not None:
        await _mail_link(ctx, SignInMail, LinkPurpose.SIGN_IN, fact.user_id)


async def mail_locked(ctx: Ctx, fact: AccountLocked) -> None:
    """Mail the link that lets an account be signed in to again."""
    await _mail_link(ctx, LockedMail, LinkPurpose.UNLOCK, fact.user_id)


async def mail_password_changed(ctx: Ctx, fact: PasswordChanged) -> None:
    """Tell a person that their password was changed."""
    await post_mail(ctx, PasswordChangedMail(), user_id=fact.user_id)


async def _mail_link(ctx: Ctx, kind: type[LinkMail], purpose: LinkPurpose, user_id: UUID) -> None:
    """Make a link and mail it to an account's address, verified or not: that is what most of them are for."""
    mailbox = await queries.mailbox(ctx.db, user_id)
    if mailbox is None:
        return
    lifetime = _LIFETIMES[purpose]
    link_id = await queries.put_link(ctx, user_id=user_id, purpose=purpose, address=mailbox.email, lifetime=lifetime)
    if link_id is not None:
        mail = kind(link_id=link_id)
        await post(ctx, mail, user_id=user_id, address=mailbox.email, language=mailbox.locale)

"""What happens to accounts and sessions."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact


class AccountFact(Fact):
    """Base of what happens to one person's account."""

    kind: ClassVar[str] = "user"
    about: ClassVar[str] = "user_id"
    user_id: UUID


class UserRegistered(AccountFact):
    """A person opened an account."""

    kind: ClassVar[str] = "user.registered"


class AccountUpdated(AccountFact):
    """A person changed their name, language or time zone. changed: the fields, by their names on the wire."""

    kind: ClassVar[str] = "user.updated"
    changed: list[str]


class RegisteredAgain(AccountFact):
    """Somebody tried to open an account with the mail of this one."""

    kind: ClassVar[str] = "user.registered_again"


class EmailVerified(AccountFact):
    """A person showed that their mail is theirs."""

    kind: ClassVar[str] = "user.email_verified"


class PasswordChanged(AccountFact):
    """A person has another password now."""

    kind: ClassVar[str] = "user.password_changed"


class AccountLocked(AccountFact):
    """Too many wrong passwords: nobody signs in with one for a while."""

    kind: ClassVar[str] = "user.locked"


class SecondFactorAdded(AccountFact):
    """A person has one more second factor. factor: a name of `Method`."""

    kind: ClassVar[str] = "user.factor_added"
    factor: str


class SecondFactorRemoved(AccountFact):
    """A person has one second factor less. factor: a name of `Method`."""

    kind: ClassVar[str] = "user.factor_removed"
    factor: str


class BackupCodesRenewed(AccountFact):
    """A person has fresh backup codes."""

    kind: ClassVar[str] = "user.codes_renewed"


class BackupCodeUsed(AccountFact):
    """A person came in with a backup code. left: how many they have now."""

    kind: ClassVar[str] = "user.code_used"
    left: int


class SecondFactorsLocked(AccountFact):
    """Too many wrong codes, from somebody who knows the password: none is looked at for a while."""

    kind: ClassVar[str] = "user.codes_locked"


class AccountClosed(AccountFact):
    """A person wants their account gone; they have 30 days to think again."""

    kind: ClassVar[str] = "user.closed"


class AccountDisabled(AccountFact):
    """An operator lets nobody sign in to an account."""

    kind: ClassVar[str] = "user.disabled"


class AccountEnabled(AccountFact):
    """An operator lets a person sign in again."""

    kind: ClassVar[str] = "user.enabled"


class AccountOpenedAgain(AccountFact):
    """A person came back to the account that they had closed."""

    kind: ClassVar[str] = "user.opened_again"


class EmailChangeAsked(AccountFact):
    """A person wants another mail address."""

    kind: ClassVar[str] = "user.email_change_asked"
    change_id: UUID


class EmailChanged(AccountFact):
    """A person has another mail address."""

    kind: ClassVar[str] = "user.email_changed"
    change_id: UUID


class LinkAsked(Fact):
    """Somebody wants a link mailed. Recorded for every address, so that asking takes as long for an unknown one.

    user_id: whose account has the address; None when nobody's has.
    """

    about: ClassVar[str] = "asked_id"
    kind: ClassVar[str] = "link.asked"
    asked_id: UUID
    user_id: UUID | None


class VerificationAsked(LinkAsked):
    """Somebody wants the link that verifies a mail once more."""

    kind: ClassVar[str] = "link.verification_asked"


class ResetAsked(LinkAsked):
    """Somebody forgot the password of an account."""

    kind: ClassVar[str] = "link.reset_asked"


class RestoreAsked(LinkAsked):
    """Somebody wants back into an account that they have closed."""

    kind: ClassVar[str] = "link.restore_asked"


class SignInLinkAsked(LinkAsked):
    """Somebody wants to sign in to an account by a mailed link."""

    kind: ClassVar[str] = "link.sign_in_asked"


class IdentityLinked(AccountFact):
    """A person can sign in with one more provider. provider: what people call it."""

    kind: ClassVar[str] = "user.identity_linked"
    identity_id: UUID
    provider: str


class IdentityUnlinked(AccountFact):
    """A person can no longer sign in with a provider."""

    kind: ClassVar[str] = "user.identity_unlinked"
    identity_id: UUID


class DeviceDecided(AccountFact):
    """A person let a device without a browser in, or turned it away."""

    kind: ClassVar[str] = "user.device_decided"
    approved: bool


class SessionFact(Fact):
    """Base of what happens to one session."""

    kind: ClassVar[str] = "session"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    session_id: UUID


class SignedIn(SessionFact):
    """A person signed in on a device."""

    kind: ClassVar[str] = "session.opened"


class SignedOut(SessionFact):
    """A session was ended: by its person, or because its refresh token was used twice."""

    kind: ClassVar[str] = "session.ended"


class SignedOutEverywhere(AccountFact):
    """Every session of a person was ended, but perhaps the one they are in."""

    kind: ClassVar[str] = "session.all_ended"

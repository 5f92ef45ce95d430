"""Passwords: forgotten, reset, changed; and an account that rests after too many wrong ones."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from muster.identity import queries, rules
from muster.identity.commands.accounts import Email, MailSent, normal_email, verify_address
from muster.identity.commands.links import LinkInvalid, Token, follow_link
from muster.identity.facts import AccountLocked, PasswordChanged, ResetAsked
from muster.identity.passwords import hash_password, is_easily_guessed, password_matches, rehashed
from muster.identity.queries import Credentials
from muster.identity.queries import email as email_queries
from muster.identity.queries import factors as factor_queries
from muster.identity.seals import read_link_token
from muster.identity.tables import LinkPurpose
from muster.kit.caller import Claim, signed_in, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.errors import Invalid, TooMany, Unauthenticated
from muster.kit.ids import new_id
from muster.kit.limits import AUTH

NewPassword = Annotated[
    str,
    Meta(
        min_length=10,
        max_length=1000,
        examples=["a long enough one"],
        description="At least 10 characters, and nothing that is easily guessed.",
    ),
]
GivenPassword = Annotated[
    str, Meta(max_length=1000, examples=["a long enough one"], description="The present password.")
]

# Whose password is locked and counted when nobody has the mail, so that it takes as long as for somebody.
_NOBODY = UUID(int=0)


class WrongPassword(Invalid):
    """The present password is wrong."""

    code, title = "WRONG_PASSWORD", "The present password is wrong"
    commits = True


class AccountRests(TooMany):
    """Too many wrong passwords: wait 15 minutes, or follow the link in the mail that you got."""

    code, title = "ACCOUNT_LOCKED", "Too many wrong passwords"


class Attempt(Struct, frozen=True):
    """A password that somebody gave: whose it should be, and whether it was right before the lock.

    rehashed: the hash to store instead, where we make them with other parameters by now.
    """

    account: Credentials | None
    right: bool
    rehashed: str | None = None


async def checked_password(password: str, *, field: str, known: tuple[str, ...]) -> str:
    """The hash of a password that is hard enough to guess.

    field: where it came from. known: what others know of the person, such as name and mail. Raises Invalid.
    """
    if password.strip().lower() in {each.strip().lower() for each in known}:
        raise Invalid.field(field, "must not be your name or mail address", "PASSWORD_KNOWN")
    if is_easily_guessed(password):
        raise Invalid.field(field, "is among the first that anybody would try; take a longer one", "PASSWORD_COMMON")
    return await hash_password(password)


async def attempt(account: Credentials | None, password: str) -> Attempt:
    """Compare a password, with no connection in hand; as slow when there is no account."""
    right = await password_matches(None if account is None else account.hash, password)
    if account is None or not right:
        return Attempt(account, right)
    return Attempt(account, right, await rehashed(account.hash, password))


async def count_attempt(ctx: Ctx, tried: Attempt) -> bool | None:
    """Whether the password was right; None when the account rests. A wrong one counts, and the fifth locks.

    The row lock makes tries on one account one at a time, so no more than five are ever answered in a row, however
    many come at once. The database does as much for a mail that nobody has.
    """
    user_id = _NOBODY if tried.account is None else tried.account.id
    standing = await queries.lock_password(ctx, user_id)
    if standing is not None and rules.is_locked(standing.failures, standing.failed_at, ctx.now):
        return None
    if standing is not None and tried.account is not None and tried.right:
        if standing.failures:
            await queries.put_failures(ctx, user_id, 0)
        # Changed meanwhile, it is the old one that was right.
        is_present = standing.changed_at == tried.account.changed_at
        if is_present and tried.rehashed is not None:
            await queries.put_rehashed(ctx, user_id, tried.rehashed)
        return is_present
    failures = 0 if standing is None else rules.count_failure(standing.failures, standing.failed_at, ctx.now)
    await queries.put_failures(ctx, user_id, failures)
    if failures == rules.FAILURES:
        ctx.record(AccountLocked(user_id=user_id))
    return False


@command("POST /auth/forgot-password", "forgotPassword", allow=whoever, limit=AUTH)
async def forgot_password(ctx: Ctx, *, email: Email) -> MailSent:
    """Mail a link to set a new password, at most three times an hour."""
    user_id = await queries.user_by_email(ctx, normal_email(email))
    ctx.record(ResetAsked(asked_id=new_id(), user_id=user_id))
    return MailSent(email=normal_email(email))


async def _hash_for_link(services: Services, claim: Claim, *, token: str, password: str) -> str:
    """The hash of an acceptable password for the account behind a link."""
    link_id = read_link_token(services.settings.security.secrets, LinkPurpose.RESET, token)
    if link_id is None:
        raise LinkInvalid
    async with services.database.transaction(claim.tenant_id) as tx:
        link = await queries.read_link(tx, link_id)
    if link is None:
        raise LinkInvalid
    return await checked_password(password, field="password", known=(link.address,))


@command("POST /auth/reset-password", "resetPassword", allow=whoever, limit=AUTH, prepare=_hash_for_link)
async def reset_password(ctx: Ctx, *, token: Token, password: NewPassword, prepared: str) -> None:
    """Set a new password with the token from a mailed link. Every session ends, and the mail counts as verified.

    Raises LinkInvalid, Invalid.
    """
    link = await follow_link(ctx, token, LinkPurpose.RESET)
    mailbox = await queries.mailbox(ctx.db, link.user_id)
    if mailbox is None or mailbox.verified_at is None:
        # Whoever opened the account has not shown that the mail is theirs: their second factors must not stay in it.
        await factor_queries.forget_factors(ctx, link.user_id)
    await set_password(ctx, link.user_id, prepared)
    await verify_address(ctx, link.user_id, link.address)


class Change(Struct, frozen=True):
    """A change of password as it is asked for: the try of the present one, and the hash of the new."""

    tried: Attempt
    hashed: str


async def _check_and_hash(services: Services, claim: Claim, *, old_password: str, new_password: str) -> Change:
    if claim.user_id is None:
        raise Unauthenticated
    async with services.database.transaction(claim.tenant_id) as tx:
        account = await queries.credentials_of(tx, claim.user_id)
        mailbox = await queries.mailbox(tx, claim.user_id)
    tried = await attempt(account, old_password)
    known = () if mailbox is None else (mailbox.email,)
    return Change(tried, await checked_password(new_password, field="newPassword", known=known))


@command("POST /auth/change-password", "changePassword", allow=signed_in, limit=AUTH, prepare=_check_and_hash)
async def change_password(
    ctx: Ctx, *, old_password: GivenPassword, new_password: NewPassword, prepared: Change
) -> None:
    """Set a new password, knowing the present one. Every other session ends.

    Raises WrongPassword, AccountRests, Invalid.
    """
    right = await count_attempt(ctx, prepared.tried)
    if right is None:
        raise AccountRests
    if not right:
        raise WrongPassword.field("oldPassword", "is not your present password", "WRONG_PASSWORD")
    await set_password(ctx, ctx.user_id, prepared.hashed, but=ctx.session_id)


async def set_password(ctx: Ctx, user_id: UUID, hashed: str, *, but: UUID | None = None) -> None:
    """Give an account another password: every session ends, and what was mailed or begun before is void.

    but: the session that stays.
    """
    await queries.put_password(ctx, user_id=user_id, hashed=hashed)
    await queries.void_links(ctx, user_id)
    await factor_queries.void_challenges(ctx, user_id)
    await email_queries.give_up_changes(ctx, user_id)
    await queries.revoke_sessions(ctx, user_id, but=but)
    ctx.record(PasswordChanged(user_id=user_id))


@command("POST /auth/unlock", "unlockAccount", allow=whoever, limit=AUTH)
async def unlock_account(ctx: Ctx, *, token: Token) -> None:
    """Let an account be signed in to again, with the token from the mail that told of too many wrong passwords.

    Raises LinkInvalid.
    """
    link = await follow_link(ctx, token, LinkPurpose.UNLOCK)
    await queries.put_failures(ctx, link.user_id, 0)

"""Signing in by a mailed link, without a password."""

from uuid import UUID

from muster.identity import queries
from muster.identity.commands.accounts import Email, MailSent, normal_email, verify_address
from muster.identity.commands.links import Token, follow_link
from muster.identity.commands.sessions import Session, sign_in
from muster.identity.facts import SignInLinkAsked
from muster.identity.queries import email as email_queries
from muster.identity.queries import factors as factor_queries
from muster.identity.tables import LinkPurpose
from muster.kit.caller import whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.ids import new_id
from muster.kit.limits import AUTH


@command("POST /auth/sign-in-link", "sendSignInLink", allow=whoever, limit=AUTH)
async def send_sign_in_link(ctx: Ctx, *, email: Email) -> MailSent:
    """Mail a link that signs in, at most three times an hour. It works once, for 15 minutes."""
    user_id = await queries.user_by_email(ctx, normal_email(email))
    ctx.record(SignInLinkAsked(asked_id=new_id(), user_id=user_id))
    return MailSent(email=normal_email(email))


@command("POST /auth/sign-in-link/session", "signInByLink", allow=whoever, limit=AUTH)
async def sign_in_by_link(ctx: Ctx, *, token: Token) -> Session:
    """Sign in with the token from a mailed link, which also shows that the mail is one's own.

    Raises LinkInvalid; MfaRequired where the account has a second factor, WrongCredentials where it was disabled.
    """
    link = await follow_link(ctx, token, LinkPurpose.SIGN_IN)
    mailbox = await queries.mailbox(ctx.db, link.user_id)
    if mailbox is not None and mailbox.verified_at is None:
        await _put_out_strangers(ctx, link.user_id)
    await verify_address(ctx, link.user_id, link.address)
    return await sign_in(ctx, link.user_id)


async def _put_out_strangers(ctx: Ctx, user_id: UUID) -> None:
    """Nobody had shown that the mail is theirs: whoever opened the account with it may be somebody else, who knows its
    password, perhaps has given it a second factor, and waits for its owner to come.
    """
    await queries.forget_password(ctx, user_id)
    await factor_queries.forget_factors(ctx, user_id)
    await factor_queries.void_challenges(ctx, user_id)
    await email_queries.give_up_changes(ctx, user_id)
    await queries.void_links(ctx, user_id)
    await queries.revoke_sessions(ctx, user_id)

"""Closing an account, and coming back to it while there is a way back."""

from uuid import UUID

from muster.identity import queries
from muster.identity.commands.accounts import Email, MailSent, normal_email
from muster.identity.commands.links import LinkInvalid, Token, follow_link
from muster.identity.facts import AccountClosed, AccountDisabled, AccountEnabled, AccountOpenedAgain, RestoreAsked
from muster.identity.tables import LinkPurpose
from muster.kit.caller import whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.ids import new_id
from muster.kit.limits import AUTH


async def close_account(ctx: Ctx) -> None:
    """Close the acting person's account: every session ends, no link works any more, and the 30 days begin."""
    await queries.lock_links(ctx, ctx.user_id)
    await queries.lock_account(ctx, ctx.user_id)
    await queries.put_closed(ctx, ctx.user_id, ctx.now)
    await queries.void_links(ctx, ctx.user_id)
    await queries.revoke_sessions(ctx, ctx.user_id)
    ctx.record(AccountClosed(user_id=ctx.user_id))


async def disable_account(ctx: Ctx, user_id: UUID) -> None:
    """Let nobody sign in to an account any more; every session ends, and what they have open within a second."""
    await queries.lock_account(ctx, user_id)
    await queries.put_disabled(ctx, user_id, ctx.now)
    await queries.revoke_sessions(ctx, user_id)
    ctx.record(AccountDisabled(user_id=user_id))


async def enable_account(ctx: Ctx, user_id: UUID) -> None:
    """Let a person sign in to their account again."""
    await queries.lock_account(ctx, user_id)
    await queries.put_disabled(ctx, user_id, None)
    ctx.record(AccountEnabled(user_id=user_id))


async def open_again(ctx: Ctx, user_id: UUID) -> bool:
    """Open a person's account if they closed it, and hold it open until the transaction ends.

    False when there is no way in: it has ended, or an operator disabled it.
    """
    life = await queries.lock_account(ctx, user_id)
    if life is None or life.ended_at is not None or life.disabled_at is not None:
        return False
    if life.closed_at is not None:
        await queries.put_closed(ctx, user_id, None)
        ctx.record(AccountOpenedAgain(user_id=user_id))
    return True


@command("POST /auth/restore", "restoreAccount", allow=whoever, limit=AUTH)
async def restore_account(ctx: Ctx, *, token: Token) -> None:
    """Open an account again that was closed, with the token from the link that was mailed for it. Then sign in.

    Raises LinkInvalid.
    """
    link = await follow_link(ctx, token, LinkPurpose.RESTORE)
    if not await open_again(ctx, link.user_id):
        raise LinkInvalid


@command("POST /auth/restore-link", "askToRestore", allow=whoever, limit=AUTH)
async def ask_to_restore(ctx: Ctx, *, email: Email) -> MailSent:
    """Have a link mailed that opens a closed account again; it works for 24 hours, once, and so does signing in.

    The answer is the same whether or not there is such an account.
    """
    user_id = await queries.user_by_email(ctx, normal_email(email))
    ctx.record(RestoreAsked(asked_id=new_id(), user_id=user_id))
    return MailSent(email=normal_email(email))

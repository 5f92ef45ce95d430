"""Another mail address: asked for by its person, and confirmed by both mailboxes."""

from enum import StrEnum
from uuid import UUID

from muster.identity import queries
from muster.identity.commands.accounts import Email, EmailTaken, MailSent, normal_email
from muster.identity.commands.links import LinkInvalid, Token
from muster.identity.facts import EmailChangeAsked, EmailChanged
from muster.identity.queries import email as email_queries
from muster.identity.queries import factors as factor_queries
from muster.identity.queries.email import Change
from muster.identity.rules import Side
from muster.identity.seals import read_link_token
from muster.kit.caller import signed_in, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, TooMany, Unauthenticated
from muster.kit.limits import AUTH
from muster.kit.views.results import Payload


class TooManyChanges(TooMany):
    """You have asked for three changes of address within an hour; wait a while."""

    code, title = "TOO_MANY_CHANGES", "Too many changes"


class ChangeState(StrEnum):
    """Whether a change of address waits for the other mailbox, or is done."""

    WAITING = "WAITING"
    DONE = "DONE"


class EmailChangeAnswer(Payload):
    """What confirming has led to.

    state: `WAITING` for the other mailbox, or `DONE`.
    """

    replayable = True

    state: ChangeState


@command("POST /auth/email", "changeEmail", allow=signed_in, limit=AUTH, step_up=True)
async def change_email(ctx: Ctx, *, email: Email) -> MailSent:
    """Ask for another mail address; links are mailed to the present and to the new one, and both have to be followed.

    An address that was never verified is not asked. For a new address that has an account the answer is the same, and
    its owner is told. Asking again gives up what was asked before. Raises TooManyChanges, Invalid.
    """
    mailbox = await queries.mailbox(ctx.db, ctx.user_id)
    if mailbox is None:
        raise Unauthenticated
    wanted = normal_email(email)
    if wanted == mailbox.email:
        raise Invalid.field("email", "is your address already", "EMAIL_SAME")
    asks_old = mailbox.verified_at is not None
    change_id = await email_queries.begin_change(ctx, old=mailbox.email, new=wanted, asks_old=asks_old)
    if change_id is None:
        raise TooManyChanges
    ctx.record(EmailChangeAsked(user_id=ctx.user_id, change_id=change_id))
    return MailSent(email=wanted)


@command("POST /auth/email/confirmation", "confirmEmailChange", allow=whoever, limit=AUTH)
async def confirm_email_change(ctx: Ctx, *, token: Token) -> EmailChangeAnswer:
    """Say yes to a change of address, with the token from one of the two mails; the second yes makes the change.

    Sessions stay: a proof and both mailboxes have asked for it. Links that were mailed before work no more.
    Raises LinkInvalid, EmailTaken.
    """
    side, change_id = _read(ctx, token)
    change = await email_queries.lock_change(ctx, change_id)
    if change is None or change.ended_at is not None or change.expires_at <= ctx.now:
        raise LinkInvalid
    ctx.act_as(change.user_id)
    await email_queries.say_yes(ctx, change.id, old=side is Side.OLD)
    other = change.confirmed_at if side is Side.OLD else change.approved_at
    if other is None:
        return EmailChangeAnswer(state=ChangeState.WAITING)
    await _move(ctx, change)
    return EmailChangeAnswer(state=ChangeState.DONE)


def _read(ctx: Ctx, token: str) -> tuple[Side, UUID]:
    for side in Side:
        change_id = read_link_token(ctx.settings.security.secrets, side, token)
        if change_id is not None:
            return side, change_id
    raise LinkInvalid


async def _move(ctx: Ctx, change: Change) -> None:
    # Reset links that went to the old mailbox do not outlive it.
    await queries.void_links(ctx, change.user_id)
    await factor_queries.void_challenges(ctx, change.user_id)
    if not await email_queries.move_account(ctx, change):
        raise EmailTaken
    ctx.record(EmailChanged(user_id=change.user_id, change_id=change.id))

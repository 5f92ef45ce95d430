"""Mail to people by who they are, for handlers of every slice."""

from typing import ClassVar
from uuid import UUID

from muster.identity import queries
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.mail.posting import post
from muster.kit.words import Value


class SecurityMail(Mail):
    """Base of mails whose button is for who did not do it: a new password ends every session."""

    kind: ClassVar[str] = "identity.security"

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The same whoever did it."""
        return self.told(ctx)

    def told(self, ctx: Ctx, **values: Value) -> Letter:
        """The letter with these values."""
        return Letter(values=values, link=f"{ctx.settings.addresses.app}/forgot")


async def post_mail(ctx: Ctx, mail: Mail, *, user_id: UUID) -> None:
    """Send a person a mail that follows from the fact at hand; a repeat for the same fact sends nothing.

    Whoever has not shown that their address is theirs gets none. Raises LookupError outside a handler.
    """
    mailbox = await queries.mailbox(ctx.db, user_id)
    if mailbox is not None and mailbox.verified_at is not None:
        await post(ctx, mail, user_id=user_id, address=mailbox.email, language=mailbox.locale)

"""What those who leave are mailed."""

from typing import ClassVar
from uuid import UUID

from muster.identity.facts import AccountClosed, AccountOpenedAgain
from muster.identity.mail import SecurityMail, post_mail
from muster.identity.queries import life_of
from muster.identity.seals import link_token
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.privacy import queries, rules
from muster.privacy.facts import AccountEnded, AccountEndsSoon, ExportReady


class ClosedMail(Mail):
    """To who deleted their account: until when they can come back. Nothing is sent once they have, or it has ended."""

    kind: ClassVar[str] = "privacy.closed"

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """With the moment that ends it."""
        life = await life_of(ctx.db, user_id)
        if life is None or life.closed_at is None or life.ended_at is not None:
            return None
        until = life.closed_at.replace(microsecond=0) + rules.GRACE
        return Letter(values={"until": until}, link=f"{ctx.settings.addresses.app}/come-back")


class EndsSoonMail(ClosedMail):
    """To who has three days left to come back."""

    kind: ClassVar[str] = "privacy.ends_soon"


class OpenedAgainMail(SecurityMail):
    """To who came back."""

    kind: ClassVar[str] = "privacy.opened_again"


class EndedMail(Mail):
    """To who did not come back: the last that they hear of us."""

    kind: ClassVar[str] = "privacy.ended"

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The same to everybody."""
        return Letter()


class ExportReadyMail(Mail):
    """To who asked for an export: it is there."""

    kind: ClassVar[str] = "privacy.export_ready"
    export_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """With the link to it; None when it is not there any more."""
        made = await queries.read_export(ctx, self.export_id)
        if made is None or made.expires_at is None or made.expires_at <= ctx.now:
            return None
        token = link_token(ctx.settings.security.jwt_secret, rules.EXPORT_LINK, made.id)
        until = made.expires_at.replace(microsecond=0)
        return Letter(values={"until": until}, link=f"{ctx.settings.addresses.app}/export?token={token}")


async def mail_export_ready(ctx: Ctx, fact: ExportReady) -> None:
    """Tell who asked for an export that it is there."""
    await post_mail(ctx, ExportReadyMail(export_id=fact.export_id), user_id=fact.user_id)


async def mail_closed(ctx: Ctx, fact: AccountClosed) -> None:
    """Tell a person that their account is closed, and for how long they can come back."""
    await post_mail(ctx, ClosedMail(), user_id=fact.user_id)


async def mail_ends_soon(ctx: Ctx, fact: AccountEndsSoon) -> None:
    """Remind them."""
    await post_mail(ctx, EndsSoonMail(), user_id=fact.user_id)


async def mail_opened_again(ctx: Ctx, fact: AccountOpenedAgain) -> None:
    """Tell them that somebody, who should be they, came back."""
    await post_mail(ctx, OpenedAgainMail(), user_id=fact.user_id)


async def mail_ended(ctx: Ctx, fact: AccountEnded) -> None:
    """Tell them that it is over."""
    await post_mail(ctx, EndedMail(), user_id=fact.user_id)

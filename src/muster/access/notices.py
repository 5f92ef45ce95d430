"""What access mails people."""

from typing import ClassVar
from uuid import UUID

from muster.access import queries
from muster.access.facts import ImpersonationEnded
from muster.identity.mail import post_mail
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail


class ImpersonatedMail(Mail):
    """To who was acted as: by the platform's staff, when, where and why."""

    kind: ClassVar[str] = "access.impersonated"
    impersonation_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """The letter; None where the impersonation is on nobody's record any more."""
        told = await queries.find_impersonation(ctx, self.impersonation_id)
        if told is None:
            return None
        return Letter(
            values={
                "community": told.community,
                "started": told.started_at,
                "ended": told.ended_at,
                "why": told.why,
                "ticket": told.ticket,
            }
        )


async def mail_impersonated(ctx: Ctx, fact: ImpersonationEnded) -> None:
    """Tell a person that somebody of the platform's staff acted as them."""
    await post_mail(ctx, ImpersonatedMail(impersonation_id=fact.impersonation_id), user_id=fact.user_id)

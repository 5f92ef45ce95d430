"""What people are told about events."""

from typing import ClassVar
from uuid import UUID

from muster.events import queries
from muster.events.facts import EventJoined, EventPromoted
from muster.identity.mail import post_mail
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Action, Letter, Mail
from muster.notifications import commands as notifications


class JoinedMail(Mail):
    """To the owner: somebody took a place."""

    kind: ClassVar[str] = "events.joined"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event is gone."""
        title = await queries.title_of(ctx, self.event_id)
        if title is None:
            return None
        return Letter(
            subject=f"Somebody joined {title}",
            paragraphs=(f"There is one more at {title}.",),
            action=Action("See who comes", f"{ctx.settings.addresses.app}/events/{self.event_id}"),
            footnote="You get this because the event is yours.",
        )


async def tell_owner_of_join(ctx: Ctx, fact: EventJoined) -> None:
    """Tell the owner who took a place; their own needs no telling."""
    owner_id = await queries.owner_of(ctx, fact.event_id)
    if owner_id is not None and owner_id != fact.user_id:
        data = {"eventId": fact.event_id, "userId": fact.user_id}
        await notifications.tell(ctx, user_id=owner_id, kind="EVENT_JOINED", data=data)
        await post_mail(ctx, JoinedMail(event_id=fact.event_id), user_id=owner_id)


async def tell_promoted(ctx: Ctx, fact: EventPromoted) -> None:
    """Tell who waited that they have a place now."""
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_PROMOTED", data={"eventId": fact.event_id})

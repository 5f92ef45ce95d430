"""What who waits is told of places that are offered to them."""

from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.events import queries
from muster.events.facts import EventOffered, EventOfferLapsed
from muster.events.letters import page_of
from muster.events.views import EventView
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.notifications import commands as notifications


class OfferedMail(Mail):
    """To who waits: a place is held for them."""

    kind: ClassVar[str] = "events.offered"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the offer was answered meanwhile, or has lapsed."""
        own = await queries.standing(ctx, self.event_id, user_id)
        event = await queries.outline_of(ctx, self.event_id)
        if event is None or own is None or own.offer_expires_at is None or own.offer_expires_at <= ctx.now:
            return None
        until = own.offer_expires_at.astimezone(ZoneInfo(event.timezone))
        return Letter(values={"title": event.title, "until": until}, link=page_of(ctx, self.event_id))


async def tell_offered(ctx: Ctx, fact: EventOffered) -> None:
    """Tell who waits until when a place is held for them."""
    about, mail = EventView.ref(fact.event_id), OfferedMail(event_id=fact.event_id)
    data = {"eventId": fact.event_id, "until": fact.until}
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_OFFERED", data=data, about=about, mail=mail)


async def tell_lapsed(ctx: Ctx, fact: EventOfferLapsed) -> None:
    """Tell who let the time pass that the place went on."""
    about, data = EventView.ref(fact.event_id), {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_OFFER_LAPSED", data=data, about=about)

"""What who waits is told of places that are offered to them."""

from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.events import queries
from muster.events.facts import EventOffered, EventOfferLapsed, EventUpdated
from muster.events.letters import page_of
from muster.events.queries.members import Recipient
from muster.events.rules import Places
from muster.events.tables import EventMemberStatus
from muster.events.tables.member import MOST_GUESTS
from muster.events.telling import BATCH, tell_crowd
from muster.events.views import EventView
from muster.events.waitlist.queries import parties_after
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.work.errands import Errand
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


class PartyTooLargeMail(Mail):
    """To who waits with guests: the event has become too small for all of them."""

    kind: ClassVar[str] = "events.party_too_large"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they wait no more, or fit by now."""
        own = await queries.standing(ctx, self.event_id, user_id)
        event = await queries.outline_of(ctx, self.event_id)
        if event is None or own is None or own.status != EventMemberStatus.WAITLIST:
            return None
        if Places(taken=0, max=event.max).ever_seats(own.party.size):
            return None
        return Letter(values={"title": event.title}, link=page_of(ctx, self.event_id))


async def tell_offered(ctx: Ctx, fact: EventOffered) -> None:
    """Tell who waits until when a place is held for them."""
    about, mail = EventView.ref(fact.event_id), OfferedMail(event_id=fact.event_id)
    data = {"eventId": fact.event_id, "until": fact.until}
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_OFFERED", data=data, about=about, mail=mail)


async def tell_lapsed(ctx: Ctx, fact: EventOfferLapsed) -> None:
    """Tell who let the time pass that the place went on."""
    about, data = EventView.ref(fact.event_id), {"eventId": fact.event_id}
    await notifications.tell(ctx, user_id=fact.user_id, kind="WAITLIST_OFFER_LAPSED", data=data, about=about)


async def tell_too_large(errand: Errand, fact: EventUpdated) -> None:
    """Tell who waits with more guests than an event of its new size ever has places for; others go before them.

    Whom it had no places for before either was told of that then.
    """
    if "max" not in fact.changed:
        return
    was, became = (Places(taken=0, max=each) for each in (fact.old_max, fact.new_max))
    shut_out = [each for each in range(1, 2 + MOST_GUESTS) if was.ever_seats(each) and not became.ever_seats(each)]

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        event = await queries.outline_of(ctx, fact.event_id)
        if event is None:
            return []
        is_now = Places(taken=0, max=event.max)
        sizes = [each for each in shut_out if not is_now.ever_seats(each)]
        return await parties_after(ctx, fact.event_id, sizes, after, size=BATCH)

    data, mail = {"eventId": fact.event_id}, PartyTooLargeMail(event_id=fact.event_id)
    await tell_crowd(errand, fact.event_id, following, kind="WAITLIST_PARTY_TOO_LARGE", data=data, mail=mail)

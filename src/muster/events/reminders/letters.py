"""What the mails about an event's time tell, on their reader's clock."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.events import queries as events
from muster.events.queries import Outline
from muster.events.reminders import queries
from muster.events.tables import EventMemberStatus, EventStatus
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.words import Value


class ReminderMail(Mail):
    """To who has a place: the event starts soon."""

    kind: ClassVar[str] = "events.reminder"
    event_id: UUID
    starts_at: datetime

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they have gone meanwhile, or the event starts at another time, has started or will not take place."""
        event = await _attended(ctx, self.event_id, user_id)
        if event is None or event.starts_at != self.starts_at or event.starts_at <= ctx.now:
            return None
        zone = await queries.clock_of(ctx, user_id) or event.timezone
        place = ", ".join(each for each in (event.address, event.city, event.country) if each)
        values: dict[str, Value] = {
            "title": event.title,
            "starts_at": event.starts_at.astimezone(ZoneInfo(zone)),
            "place": place or None,
        }
        return Letter(values=values, link=f"{ctx.settings.addresses.app}/events/{self.event_id}")


class FeedbackMail(Mail):
    """To who was there: how was it?"""

    kind: ClassVar[str] = "events.feedback"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they or the event are gone."""
        event = await _attended(ctx, self.event_id, user_id)
        if event is None:
            return None
        link = f"{ctx.settings.addresses.app}/events/{self.event_id}/feedback"
        return Letter(values={"title": event.title}, link=link)


async def _attended(ctx: Ctx, event_id: UUID, user_id: UUID) -> Outline | None:
    own = await events.standing(ctx, event_id, user_id)
    if own is None or own.status != EventMemberStatus.JOINED:
        return None
    event = await events.outline_of(ctx, event_id)
    return event if event is not None and event.status == EventStatus.PUBLISHED else None

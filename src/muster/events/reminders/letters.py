"""What the mails about an event's time tell, on their reader's clock."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from muster.events.letters import attended, page_of, place_of
from muster.events.reminders import queries
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
        event = await attended(ctx, self.event_id, user_id)
        if event is None or event.starts_at != self.starts_at or event.starts_at <= ctx.now:
            return None
        zone = await queries.clock_of(ctx, user_id) or event.timezone
        values: dict[str, Value] = {
            "title": event.title,
            "starts_at": event.starts_at.astimezone(ZoneInfo(zone)),
            "place": place_of(event),
        }
        return Letter(values=values, link=page_of(ctx, self.event_id))


class FeedbackMail(Mail):
    """To who was there: how was it?"""

    kind: ClassVar[str] = "events.feedback"
    event_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when they or the event are gone."""
        event = await attended(ctx, self.event_id, user_id)
        if event is None:
            return None
        return Letter(values={"title": event.title}, link=f"{page_of(ctx, self.event_id)}/feedback")

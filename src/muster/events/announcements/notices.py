"""Telling people what was announced, in the product and by mail."""

from typing import ClassVar
from uuid import UUID

from muster.events import queries as events
from muster.events.announcements import queries
from muster.events.announcements.facts import EventAnnounced
from muster.events.letters import page_of
from muster.events.notices import tell_each
from muster.events.tables import EventMemberStatus
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Letter, Mail
from muster.kit.work.errands import Errand


class AnnouncedMail(Mail):
    """To whom it is for: what the organisers say."""

    kind: ClassVar[str] = "events.announced"
    event_id: UUID
    announcement_id: UUID

    async def letter(self, ctx: Ctx, user_id: UUID) -> Letter | None:
        """None when the event or the announcement is gone."""
        event, content = await events.outline_of(ctx, self.event_id), await queries.said(ctx, self.announcement_id)
        if event is None or content is None:
            return None
        return Letter(values={"title": event.title, "content": content}, link=page_of(ctx, self.event_id))


async def tell_announced(errand: Errand, fact: EventAnnounced) -> None:
    """Tell everybody whom it is for but who announced it."""
    data = {"eventId": fact.event_id, "announcementId": fact.announcement_id}
    mail = AnnouncedMail(event_id=fact.event_id, announcement_id=fact.announcement_id)
    statuses = tuple(EventMemberStatus(each) for each in fact.audience)
    await tell_each(errand, fact, statuses, kind="EVENT_ANNOUNCEMENT", data=data, mail=mail)

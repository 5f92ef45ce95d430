"""Telling people of an event's time."""

from uuid import UUID

from muster.events.queries import Recipient
from muster.events.reminders import queries
from muster.events.reminders.facts import FeedbackDue, ReminderDue
from muster.events.reminders.letters import FeedbackMail, ReminderMail
from muster.events.telling import BATCH, tell_crowd
from muster.kit.commands.context import Ctx
from muster.kit.work.errands import Errand


async def remind(errand: Errand, fact: ReminderDue) -> None:
    """Remind whoever wants it and had their place in time. Who joins later, or once the event has moved, is not."""

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        return await queries.to_remind(ctx, fact.event_id, fact.lead, fact.starts_at, after=after, size=BATCH)

    data = {"eventId": fact.event_id, "lead": fact.lead, "startsAt": fact.starts_at}
    mail = ReminderMail(event_id=fact.event_id, starts_at=fact.starts_at)
    await tell_crowd(errand, fact.event_id, following, kind="EVENT_REMINDER", data=data, mail=mail)


async def ask_for_feedback(errand: Errand, fact: FeedbackDue) -> None:
    """Ask who was there how it was."""

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        return await queries.to_ask(ctx, fact.event_id, after=after, size=BATCH)

    data, mail = {"eventId": fact.event_id}, FeedbackMail(event_id=fact.event_id)
    await tell_crowd(errand, fact.event_id, following, kind="EVENT_FEEDBACK_REQUEST", data=data, mail=mail)

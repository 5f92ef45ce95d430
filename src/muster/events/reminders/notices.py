"""Telling people of an event's time: some hundred in a transaction, each once, as a repeat for the same fact tells nobody."""

from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from muster.events.reminders import queries
from muster.events.reminders.facts import FeedbackDue, ReminderDue
from muster.events.reminders.letters import FeedbackMail, ReminderMail
from muster.events.reminders.queries import Recipient
from muster.events.views import EventView
from muster.kit.commands.context import Ctx
from muster.kit.mail.kinds import Mail
from muster.kit.work.errands import Errand
from muster.notifications import commands as notifications

_BATCH = 200
Next = Callable[[Ctx, UUID], Awaitable[list[Recipient]]]
"""Finds who comes after the last one known."""


async def remind(errand: Errand, fact: ReminderDue) -> None:
    """Remind whoever wants it and had their place in time. Who joins later, or once the event has moved, is not."""

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        return await queries.to_remind(ctx, fact.event_id, fact.lead, fact.starts_at, after=after, size=_BATCH)

    data = {"eventId": fact.event_id, "lead": fact.lead, "startsAt": fact.starts_at}
    mail = ReminderMail(event_id=fact.event_id, starts_at=fact.starts_at)
    await _tell_each(errand, fact.event_id, following, kind="EVENT_REMINDER", data=data, mail=mail)


async def ask_for_feedback(errand: Errand, fact: FeedbackDue) -> None:
    """Ask who was there how it was."""

    async def following(ctx: Ctx, after: UUID) -> list[Recipient]:
        return await queries.to_ask(ctx, fact.event_id, after=after, size=_BATCH)

    data, mail = {"eventId": fact.event_id}, FeedbackMail(event_id=fact.event_id)
    await _tell_each(errand, fact.event_id, following, kind="EVENT_FEEDBACK_REQUEST", data=data, mail=mail)


async def _tell_each(
    errand: Errand, event_id: UUID, following: Next, *, kind: str, data: Mapping[str, object], mail: Mail
) -> None:
    about, last = EventView.ref(event_id), UUID(int=0)
    while True:
        async with errand.transaction() as ctx:
            people = await following(ctx, last)
            for each in people:
                letter = mail if each.by_mail else None
                await notifications.tell(ctx, user_id=each.user_id, kind=kind, data=data, about=about, mail=letter)
        if not people:
            return
        last = people[-1].user_id

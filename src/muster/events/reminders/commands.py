"""The verbs of reminders: choose them, and go back to what is usual."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.events import queries as events
from muster.events.commands.finding import EventNotFound
from muster.events.reminders import queries
from muster.events.reminders.rules import Lead
from muster.events.reminders.views import ReminderChoiceView
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.limits import API

Leads = Annotated[list[Lead], Meta(max_length=len(Lead), description="How long before the start; none is no reminder.")]


@command("POST /me/reminders", "setReminders", allow=member, limit=API)
async def set_reminders(
    ctx: Ctx, *, leads: Leads, by_mail: bool = True, event_id: UUID | None = None
) -> ReminderChoiceView:
    """Choose when one is reminded of events: of all in this community, or of one. It is for what comes from now on.

    by_mail: whether by mail too. event_id: of which event; absent, of every one without a choice of its own.
    Raises EventNotFound.
    """
    if event_id is not None:
        own = await events.standing(ctx, event_id, ctx.user_id)
        if own is None or not own.seen:
            raise EventNotFound
    return ReminderChoiceView.ref(await queries.put_choice(ctx, event_id, leads, by_mail=by_mail))


@command("DELETE /me/reminders", "resetReminders", allow=member, limit=API)
async def reset_reminders(ctx: Ctx, *, event_id: UUID | None = None) -> None:
    """Forget a choice: an event is then as all are, and all are as is usual. Without a choice nothing changes.

    event_id: of which event; absent, the choice for all.
    """
    await queries.forget_choice(ctx, event_id)

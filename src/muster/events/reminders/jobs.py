"""What is due of the times of events. Nothing is planned ahead: rows are looked at when their time comes, so that what
moves, is cancelled or left needs no tidying.
"""

from muster.events.reminders import queries
from muster.events.reminders.facts import FeedbackDue, ReminderDue
from muster.events.reminders.rules import FEEDBACK, Lead
from muster.kit.commands.context import Ctx


async def announce_times(ctx: Ctx) -> None:
    """Say of each event that starts soon or ended lately that its people are to be told, once for each reminder."""
    for each in await queries.begin_rounds(ctx):
        if each.kind == FEEDBACK:
            ctx.record(FeedbackDue(event_id=each.event_id))
        else:
            ctx.record(ReminderDue(event_id=each.event_id, lead=Lead(each.kind), starts_at=each.at))

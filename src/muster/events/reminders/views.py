"""What can be read of reminders: what one has chosen."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from muster.events.reminders.tables import ReminderChoice
from muster.events.views import EventView
from muster.kit.caller import member
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one


def is_own(choice: type[ReminderChoice], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own."""
    return choice.user_id == viewer.user_id


class ReminderChoiceView(View, of=ReminderChoice):
    """Which reminders somebody wants.

    event: of which event; null is of every event without a choice of its own. leads: how long before the start each
    comes, such as `PT1H`; none at all is no reminder. by_mail: whether they come by mail too. changed_at: when it was
    chosen.
    """

    visible = is_own
    orders = {"NEWEST": descending(ReminderChoice.changed_at)}
    example = {"leads": ["PT1H", "PT24H"]}

    id: UUID
    event: EventView | None = one("event_id")
    leads: list[str]
    by_mail: bool
    changed_at: datetime


@query("GET /me/reminders", "myReminders", allow=member)
def my_reminders() -> Page[ReminderChoiceView]:
    """What the caller has chosen, the newest first; without any, reminders come a day and an hour before."""

"""What can be read of series."""

from datetime import datetime
from uuid import UUID

from muster.events.series.predicates import series_visible
from muster.events.series.tables import EventSeries, SeriesOccurrence
from muster.events.tables import Visibility
from muster.events.views import EventView
from muster.identity.views import UserView
from muster.kit.caller import anyone
from muster.kit.views.paging import ascending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, many, one


class EventSeriesView(View, of=EventSeries):
    """An event that comes again.

    rule: an RRULE of RFC 5545. starts_at: the first time. timezone: on whose clock it comes again. ends_before: from when
    on there are no more; null is as the rule says. created_at: when it was made.
    """

    visible = series_visible
    example = {"rule": "FREQ=WEEKLY;BYDAY=TH", "timezone": "Europe/Warsaw", "endsBefore": None}

    id: UUID
    rule: str
    starts_at: datetime
    timezone: str
    ends_before: datetime | None
    visibility: Visibility
    created_at: datetime
    owner: UserView = one("owner_id")
    occurrences: Page["SeriesOccurrenceView"] = many("series_id")


class SeriesOccurrenceView(View, of=SeriesOccurrence):
    """An event of a series.

    recurrence_id: when it is due by the rule, wherever it was moved. event: null where the viewer may not see it.
    """

    within = "series"
    orders = {"DUE": ascending(SeriesOccurrence.recurrence_id)}

    id: UUID
    recurrence_id: datetime
    event: EventView | None = one("event_id")
    series: EventSeriesView | None = one("series_id")


@query("GET /series/{id}", "eventSeries", allow=anyone)
def event_series(id: UUID) -> EventSeriesView | None:
    """One series."""

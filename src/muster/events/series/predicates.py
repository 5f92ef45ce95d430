"""SQL predicates that views and commands of series share."""

from sqlalchemy import ColumnElement, or_, select

from muster.events.series.tables import EventSeries, SeriesMember
from muster.events.tables import Visibility
from muster.kit.db.tables import once_more
from muster.kit.views.view import Viewer


def series_visible(series: type[EventSeries], viewer: Viewer) -> ColumnElement[bool]:
    """Everybody sees a public one, and its owner and who joined it one that is hidden."""
    mine = once_more(SeriesMember)
    joined = select(mine.id).where(mine.series_id == series.id, mine.user_id == viewer.user_id)
    return or_(series.visibility == Visibility.PUBLIC, series.owner_id == viewer.user_id, joined.exists())

"""SQL predicates of favourites."""

from sqlalchemy import ColumnElement, select

from muster.events.favourites.tables import Favourite
from muster.events.tables import Event
from muster.kit.db.tables import once_more
from muster.kit.views.view import Viewer


def is_own(favourite: type[Favourite], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own; nobody learns who else keeps an event."""
    return favourite.user_id == viewer.user_id


def is_favourite(event: type[Event], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer keeps the event."""
    kept = once_more(Favourite)
    return select(kept.id).where(kept.event_id == event.id, kept.user_id == viewer.user_id).exists()

"""What can be read of favourites: one's own, of events that one may still see."""

from datetime import datetime
from uuid import UUID

from muster.events.favourites.predicates import is_own
from muster.events.favourites.tables import Favourite
from muster.events.views import EventView
from muster.kit.caller import member
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, one


class EventFavouriteView(View, of=Favourite):
    """An event that the viewer keeps for later. created_at: since when."""

    visible = is_own
    within = "event"
    orders = {"NEWEST": descending(Favourite.created_at)}

    id: UUID
    created_at: datetime
    event: EventView | None = one("event_id")


@query("GET /me/favourites", "myFavourites", allow=member)
def my_favourites() -> Page[EventFavouriteView]:
    """The events that the caller keeps, the newest favourite first; what they may not see any more is left out."""


@query("GET /me/favourites/{event_id}", "myFavourite", allow=member)
def my_favourite(event_id: UUID) -> EventFavouriteView | None:
    """Whether and since when the caller keeps an event; null when they do not, or may not see it."""

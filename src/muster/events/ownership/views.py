"""What can be read of who may own an event next."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from muster.events.ownership.tables import EventOwnershipOffer
from muster.events.tables import Event
from muster.events.views import EventView
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.db.tables import once_more
from muster.kit.views.query import query
from muster.kit.views.view import View, Viewer, one


def concerns(offer: type[EventOwnershipOffer], viewer: Viewer) -> ColumnElement[bool]:
    """Offers that are not over, for the event's owner and for whom they are."""
    event = once_more(Event)
    owns = select(event.id).where(event.id == offer.event_id, event.owner_id == viewer.user_id).exists()
    return and_(offer.expires_at > viewer.now, or_(offer.user_id == viewer.user_id, owns))


class EventOwnershipOfferView(View, of=EventOwnershipOffer):
    """That somebody may become the owner of an event.

    user: to whom it is offered. made_at: since when. expires_at: until when they can accept.
    """

    visible = concerns
    within = "event"

    id: UUID
    user: UserView | None = one("user_id")
    made_at: datetime
    expires_at: datetime
    event: EventView | None = one("event_id")


@query("GET /events/{event_id}/ownership-offer", "eventOwnershipOffer", allow=member)
def event_ownership_offer(event_id: UUID) -> EventOwnershipOfferView | None:
    """The offer to own an event, for its owner and for who may become it."""

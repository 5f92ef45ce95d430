"""What can be read of who may own a community next."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, or_, select

from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.views.query import query
from muster.kit.views.view import View, Viewer, one
from muster.tenancy.tables import Member, OwnershipOffer


def concerns(offer: type[OwnershipOffer], viewer: Viewer) -> ColumnElement[bool]:
    """Offers that are not over, for who made them and for whom they are."""
    owns = select(Member.id).where(Member.user_id == viewer.user_id, Member.role == "owner").exists()
    return and_(offer.expires_at > viewer.now, or_(offer.user_id == viewer.user_id, owns))


class OwnershipOfferView(View, of=OwnershipOffer):
    """That a member may become the owner.

    user: to whom it is offered. made_at: since when. expires_at: until when they can accept.
    """

    visible = concerns

    id: UUID
    user: UserView | None = one("user_id")
    made_at: datetime
    expires_at: datetime


@query("GET /tenant/ownership-offer", "ownershipOffer", allow=member)
def ownership_offer() -> OwnershipOfferView | None:
    """The offer to own the community, for its owner and for who may become it."""

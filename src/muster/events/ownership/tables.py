"""The table of offers to own an event."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, plain


class EventOwnershipOffer(TenantTable):
    """That somebody may become the owner of an event; there is one such offer at most."""

    __tablename__ = "event_ownership_offers"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"], ondelete="CASCADE"),
    )
    person: ClassVar[str | None] = "user_id"

    event_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    made_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain()

"""The table of favourites."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, plain


class Favourite(TenantTable):
    """An event that a person keeps for later."""

    __tablename__ = "event_favourites"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id", "event_id"),
        Index("event_favourites_newest_idx", "tenant_id", "user_id", "created_at", "id"),
        Index("event_favourites_event_idx", "tenant_id", "event_id"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    event_id: Mapped[UUID] = plain()
    created_at: Mapped[datetime] = plain()

"""The table of share links."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, plain


class EventShare(TenantTable):
    """The link by which an event is seen by who has it, hidden or not. Without its row it leads nowhere.

    key_hash: SHA-256 of the key in the link, which is kept nowhere: only the service's secret makes it of the row's id.
    """

    __tablename__ = "event_shares"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    part_of: ClassVar[str | None] = "events"

    event_id: Mapped[UUID] = plain()
    key_hash: Mapped[str] = plain(withheld=True)
    created_at: Mapped[datetime] = plain()

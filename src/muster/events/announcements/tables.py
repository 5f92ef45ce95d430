"""The table of announcements."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, TenantTable, personal, plain


class Hearer(StrEnum):
    """Whom an announcement is for: who has a place, who asked for one, who is invited."""

    JOINED = "JOINED"
    PENDING = "PENDING"
    INVITED = "INVITED"


class Announcement(TenantTable):
    """What organisers told people of an event. audience: of which standing they are."""

    __tablename__ = "event_announcements"
    __table_args__ = (
        CheckConstraint(
            "audience <@ array['JOINED', 'PENDING', 'INVITED'] and cardinality(audience) > 0", name="audience"
        ),
        Index("event_announcements_newest_idx", "tenant_id", "event_id", "created_at", "id"),
        Index("event_announcements_author_idx", "tenant_id", "author_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "author_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "author_id"
    erasure: ClassVar[Erasure] = Erasure.CONTENT

    event_id: Mapped[UUID] = plain()
    author_id: Mapped[UUID] = plain()
    audience: Mapped[list[str]] = plain(ARRAY(Text()))
    content: Mapped[str] = personal()
    created_at: Mapped[datetime] = plain()

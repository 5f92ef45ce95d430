"""Tables of notifications."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Json, TenantTable, plain


class Notification(TenantTable):
    """Something one person is told. At most one per fact and person, however often a handler runs.

    settled_by_id: the room whose reading makes this read too.
    subject_kind, subject_id: the row that it is about, by the name of its type; none where there is no such thing.
    deleted_at: since when it is out of the person's sight; the row stays, so that a repeat does not tell it anew.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("tenant_id", "user_id", "fact_id"),
        Index(
            "notifications_newest_idx",
            "tenant_id",
            "user_id",
            "created_at",
            "id",
            postgresql_where="deleted_at is null",
        ),
        Index(
            "notifications_unread_idx",
            "tenant_id",
            "user_id",
            "created_at",
            "id",
            postgresql_where="deleted_at is null and read_at is null",
        ),
        CheckConstraint("(subject_kind is null) = (subject_id is null)", name="subject"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    fact_id: Mapped[UUID] = plain()
    kind: Mapped[str] = plain()
    data: Mapped[Json] = plain()
    subject_kind: Mapped[str | None] = plain()
    subject_id: Mapped[UUID | None] = plain()
    created_at: Mapped[datetime] = plain()
    read_at: Mapped[datetime | None] = plain()
    settled_by_id: Mapped[UUID | None] = plain()
    deleted_at: Mapped[datetime | None] = plain()

"""Tables of access: who of the platform's staff acted as whom (global)."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, personal, plain


class Impersonation(GlobalTable):
    """A time in which somebody of the platform's staff acts as a person in one community.

    It lasts until `ended_at`, or `expires_at`, or the end of the session from which it was begun. why, ticket: what for.
    """

    __tablename__ = "impersonations"
    __table_args__ = (
        Index("impersonations_newest_idx", "user_id", "started_at", "id"),
        Index("impersonations_open_idx", "expires_at", postgresql_where="ended_at is null"),
        CheckConstraint("expires_at <= started_at + interval '60 minutes'", name="term"),
    )
    reason: ClassVar[str] = "the platform's staff acts as a person, and the person sees it from anywhere"
    person: ClassVar[str | None] = "user_id"

    staff_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    community_id: Mapped[UUID] = plain()
    session_id: Mapped[UUID] = plain()
    why: Mapped[str] = personal()
    ticket: Mapped[str] = personal()
    started_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain()
    ended_at: Mapped[datetime | None] = plain()

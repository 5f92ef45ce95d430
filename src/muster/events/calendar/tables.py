"""The table of calendar feeds."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, one_of, plain, state


class FeedScope(StrEnum):
    """What a feed holds: what its person takes part in, what the community makes public, or one event."""

    MINE = "MINE"
    COMMUNITY = "COMMUNITY"
    EVENT = "EVENT"


class CalendarFeed(TenantTable):
    """An address at which calendar programs read as a person, without anybody signing in. Without its row it leads nowhere.

    The address holds a seal over the row's id, and is kept nowhere: a copy of the database cannot make one.
    event_id: of a feed of one event.
    """

    __tablename__ = "calendar_feeds"
    __table_args__ = (
        one_of("scope", FeedScope),
        CheckConstraint("(scope = 'EVENT') = (event_id is not null)", name="event"),
        UniqueConstraint(
            "tenant_id",
            "user_id",
            "scope",
            "event_id",
            name="calendar_feeds_one_key",
            postgresql_nulls_not_distinct=True,
        ),
        Index("calendar_feeds_newest_idx", "tenant_id", "user_id", "created_at", "id"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    scope: Mapped[FeedScope] = state(FeedScope)
    event_id: Mapped[UUID | None] = plain()
    created_at: Mapped[datetime] = plain()

"""Tables of series."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, DateTime, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.events.tables import Visibility
from muster.kit.db.tables import Erasure, Json, TenantTable, one_of, personal, plain, state


class EventSeries(TenantTable):
    """An event that comes again. Its row is the lock that serialises who joins it and what is made of it.

    rule, starts_at, timezone, excluded, added: its `Recurrence`. ends_before: from when on there are no more occurrences.
    template: what an occurrence is made with, as an organiser last wanted it for all. looked_at: when occurrences were
    last made.
    """

    __tablename__ = "event_series"
    __table_args__ = (
        one_of("visibility", Visibility),
        CheckConstraint("ends_before is null or ends_before >= starts_at", name="ends_before"),
        Index("event_series_owner_idx", "tenant_id", "owner_id"),
        Index("event_series_looked_idx", "tenant_id", "looked_at"),
        ForeignKeyConstraint(["tenant_id", "owner_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "owner_id"
    erasure: ClassVar[Erasure] = Erasure.CONTENT

    owner_id: Mapped[UUID] = plain()
    rule: Mapped[str] = plain()
    starts_at: Mapped[datetime] = plain()
    timezone: Mapped[str] = plain()
    excluded: Mapped[list[datetime]] = plain(ARRAY(DateTime(timezone=True)))
    added: Mapped[list[datetime]] = plain(ARRAY(DateTime(timezone=True)))
    ends_before: Mapped[datetime | None] = plain()
    visibility: Mapped[Visibility] = state(Visibility)
    template: Mapped[Json] = personal(erased="'{}'")
    created_at: Mapped[datetime] = plain()
    looked_at: Mapped[datetime] = plain()


class SeriesOccurrence(TenantTable):
    """An event that a series made, or began with. recurrence_id: when it is due by the rule, wherever it was moved."""

    __tablename__ = "series_occurrences"
    __table_args__ = (
        UniqueConstraint("tenant_id", "series_id", "recurrence_id"),
        UniqueConstraint("tenant_id", "event_id"),
        ForeignKeyConstraint(["tenant_id", "series_id"], ["event_series.tenant_id", "event_series.id"]),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )

    series_id: Mapped[UUID] = plain()
    event_id: Mapped[UUID] = plain()
    recurrence_id: Mapped[datetime] = plain()


class SeriesMember(TenantTable):
    """Somebody who joins every occurrence that there will be. joined_at: who came first gets in first."""

    __tablename__ = "series_members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "series_id", "user_id"),
        Index("series_members_joined_idx", "tenant_id", "series_id", "joined_at", "id"),
        ForeignKeyConstraint(["tenant_id", "series_id"], ["event_series.tenant_id", "event_series.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"

    series_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    joined_at: Mapped[datetime] = plain()

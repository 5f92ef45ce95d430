"""Tables of an event's programme. Each list is replaced as a whole, under the event's lock."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, TenantTable, one_of, personal, plain, state


class ResourceAudience(StrEnum):
    """Who is shown a resource: whoever sees the event, or who has a place in it."""

    PUBLIC = "PUBLIC"
    JOINED = "JOINED"


class AgendaItem(TenantTable):
    """A point of an event's agenda. position: in the agenda as its organisers wrote it, from 0."""

    __tablename__ = "event_agenda_items"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "position"),
        CheckConstraint(
            "num_nonnulls(starts_at, ends_at) in (0, 2) and coalesce(ends_at > starts_at, true)", name="times"
        ),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    part_of: ClassVar[str | None] = "events"

    event_id: Mapped[UUID] = plain()
    position: Mapped[int] = plain()
    title: Mapped[str] = personal()
    description: Mapped[str] = personal()
    starts_at: Mapped[datetime | None] = plain()
    ends_at: Mapped[datetime | None] = plain()


class AgendaHost(TenantTable):
    """Who leads a point of the agenda: a member of the community, or somebody by name."""

    __tablename__ = "event_agenda_hosts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "item_id", "position"),
        CheckConstraint("num_nonnulls(user_id, name) = 1", name="somebody"),
        Index("event_agenda_hosts_person_idx", "tenant_id", "user_id", postgresql_where="user_id is not null"),
        ForeignKeyConstraint(
            ["tenant_id", "item_id"],
            ["event_agenda_items.tenant_id", "event_agenda_items.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"
    part_of: ClassVar[str | None] = "event_agenda_items"
    erasure: ClassVar[Erasure] = Erasure.DELETE

    item_id: Mapped[UUID] = plain()
    position: Mapped[int] = plain()
    user_id: Mapped[UUID | None] = plain()
    name: Mapped[str | None] = personal()


class Faq(TenantTable):
    """A question that is often asked of an event, with its answer."""

    __tablename__ = "event_faqs"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "position"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    part_of: ClassVar[str | None] = "events"

    event_id: Mapped[UUID] = plain()
    position: Mapped[int] = plain()
    question: Mapped[str] = personal()
    answer: Mapped[str] = personal()


class Resource(TenantTable):
    """An address where there is more about an event."""

    __tablename__ = "event_resources"
    __table_args__ = (
        one_of("audience", ResourceAudience),
        UniqueConstraint("tenant_id", "event_id", "position"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    part_of: ClassVar[str | None] = "events"

    event_id: Mapped[UUID] = plain()
    position: Mapped[int] = plain()
    title: Mapped[str] = personal()
    url: Mapped[str] = personal()
    audience: Mapped[ResourceAudience] = state(ResourceAudience)

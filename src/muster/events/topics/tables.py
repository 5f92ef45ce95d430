"""Tables of topics."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Computed, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Json, Search, TenantTable, one_of, plain, state


class TopicKind(StrEnum):
    """What a topic is to an event: one of its few categories, or a tag among many."""

    CATEGORY = "CATEGORY"
    TAG = "TAG"


class Topic(TenantTable):
    """A category or a tag that a community knows. names: by language, as a JSON object.

    Events hold categories by id (`event_categories`), and tags by the word itself (`event_tags`), since whoever makes an
    event may use a word that nobody has explained yet.
    """

    __tablename__ = "topics"
    __table_args__ = (
        one_of("kind", TopicKind),
        UniqueConstraint("tenant_id", "kind", "slug"),
        Index("topics_slug_idx", "tenant_id", "slug", "id"),
        Index("topics_kind_idx", "tenant_id", "kind", "slug", "id"),
        Index("topics_search_idx", "search", postgresql_using="gin"),
    )

    kind: Mapped[TopicKind] = state(TopicKind)
    slug: Mapped[str] = plain()
    names: Mapped[Json] = plain()
    created_at: Mapped[datetime] = plain()
    updated_at: Mapped[datetime] = plain()
    search: Mapped[Search] = plain(
        Computed("to_tsvector('folded', slug) || to_tsvector('folded', names)", persisted=True)
    )


class EventCategory(TenantTable):
    """A category of an event."""

    __tablename__ = "event_categories"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "topic_id"),
        Index("event_categories_topic_idx", "tenant_id", "topic_id", "event_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "topic_id"], ["topics.tenant_id", "topics.id"]),
    )

    event_id: Mapped[UUID] = plain()
    topic_id: Mapped[UUID] = plain()

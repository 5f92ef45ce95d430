"""SQL over the topics of events."""

from typing import Any

from sqlalchemy import ColumnElement, Text, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from muster.events.topics.tables import EventCategory, Topic, TopicKind
from muster.kit.db.tables import once_more
from muster.kit.views.view import Viewer


def categories_of(event: Any, _viewer: Viewer | None = None) -> ColumnElement[list[str]]:
    """The slugs of the event's categories, by the alphabet."""
    topic, held = once_more(Topic), once_more(EventCategory)
    slugs = select(func.array_agg(aggregate_order_by(topic.slug, topic.slug))).where(
        held.event_id == event.id, topic.id == held.topic_id
    )
    return func.coalesce(slugs.scalar_subquery(), array([], type_=Text()))


def has_category(event: Any, slug: ColumnElement[str]) -> ColumnElement[bool]:
    """The event has the category, or one of several."""
    topic, held = once_more(Topic), once_more(EventCategory)
    known = select(topic.id).where(topic.slug == slug, topic.kind == TopicKind.CATEGORY)
    return select(held.id).where(held.event_id == event.id, held.topic_id.in_(known)).exists()

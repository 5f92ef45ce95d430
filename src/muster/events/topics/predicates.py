"""SQL over the topics of events."""

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, array

from muster.events.topics.tables import EventCategory, Topic, TopicKind
from muster.kit.db.tables import once_more
from muster.kit.views.paging import probe
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
    held = once_more(EventCategory)
    return select(held.id).where(held.event_id == event.id, held.topic_id.in_(_categories(slug))).exists()


def is_in_category(event: Any, slug: ColumnElement[str]) -> ColumnElement[bool]:
    """`has_category`, asked of one event after the other."""
    held = once_more(EventCategory)
    topic_id = func.any(func.array(_categories(slug).scalar_subquery()))
    return probe(select(held.id).where(held.event_id == event.id, held.topic_id == topic_id))


def _categories(slug: ColumnElement[str]) -> Select[Any]:
    """The ids of the category, or of several."""
    topic = once_more(Topic)
    return select(topic.id).where(topic.slug == slug, topic.kind == TopicKind.CATEGORY)

"""What can be read of topics."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, func, select

from muster.access.roles import TOPIC_MANAGE
from muster.events.tables import EventTag
from muster.events.topics.tables import EventCategory, Topic, TopicKind
from muster.kit.caller import anyone, member
from muster.kit.db.tables import Json, once_more
from muster.kit.views.paging import among, ascending, best_match, equals, finder
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, sql


def usage_of(topic: Any, _viewer: Viewer) -> ColumnElement[int]:
    """How many events have the topic, whatever has become of them."""
    held, tagged = once_more(EventCategory), once_more(EventTag)
    of_category = select(func.count()).where(held.topic_id == topic.id).scalar_subquery()
    of_tag = select(func.count()).where(tagged.tag == topic.slug).scalar_subquery()
    return case((topic.kind == TopicKind.TAG, of_tag), else_=of_category)


class TopicView(View, of=Topic):
    """A category or a tag.

    slug: names it in filters and inputs. names: by language, such as `{"en": "Board games", "pl": "Planszówki"}`.
    """

    filters = {
        "kind": equals(Topic.kind),
        "slug": among(Topic.slug),
        "text": finder("finders.topics_by_text"),
    }
    orders = {"SLUG": ascending(Topic.slug), "RELEVANCE": best_match("text")}
    brief = ("id", "slug")
    example = {"slug": "board-games", "names": {"en": "Board games", "pl": "Planszówki"}}

    id: UUID
    kind: TopicKind
    slug: str
    names: Json


class TopicUsageView(View, of=Topic):
    """How much a category or a tag is used.

    slug: of the topic. events_count: how many events have it, whatever has become of them.
    """

    example = {"slug": "board-games", "eventsCount": 12}

    id: UUID
    slug: str
    events_count: int = sql(usage_of)


@query("GET /topics", "topics", allow=anyone, stale=True)
def topics() -> Page[TopicView]:
    """The categories and tags that the community knows, by slug. A slug is free when a list of it alone is empty."""


@query("GET /topics/{id}", "topic", allow=anyone, stale=True)
def topic(id: UUID) -> TopicView | None:
    """One category or tag."""


@query("GET /topics/{id}/usage", "topicUsage", allow=member, permission=TOPIC_MANAGE)
def topic_usage(id: UUID) -> TopicUsageView | None:
    """How much a category or a tag is used, for who may delete it."""

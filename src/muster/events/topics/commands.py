"""The verbs of topics: a community makes, changes and deletes its categories and tags."""

from collections.abc import Sequence
from typing import Annotated, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from muster.access.roles import TOPIC_MANAGE
from muster.events.topics import queries
from muster.events.topics.queries import LockedTopic
from muster.events.topics.rules import slug_problem
from muster.events.topics.tables import TopicKind
from muster.events.topics.views import TopicView
from muster.kit.arguments import Input
from muster.kit.caller import member
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.db.tables import Json
from muster.kit.errors import Conflict, FieldProblem, Invalid, NotFound
from muster.kit.limits import API


class TopicFact(Fact):
    """Base of what happens to a topic."""

    kind: ClassVar[str] = "topic"
    about: ClassVar[str] = "topic_id"
    topic_id: UUID
    slug: str


class TopicCreated(TopicFact):
    """A community knows a new category or tag."""

    kind: ClassVar[str] = "topic.created"


class TopicUpdated(TopicFact):
    """A category or tag is called something else."""

    kind: ClassVar[str] = "topic.updated"


class TopicDeleted(TopicFact):
    """A category or tag is no more, and no event has it."""

    kind: ClassVar[str] = "topic.deleted"


class TopicNotFound(NotFound):
    """There is no such category or tag."""

    code = "TOPIC_NOT_FOUND"


class TopicTaken(Conflict):
    """There is a topic of this kind with this slug; choose another slug, or change that one."""

    code = "TOPIC_TAKEN"


Slug = Annotated[
    str,
    Meta(
        min_length=1, max_length=30, examples=["board-games"], description="Names it in filters; a tag's is its word."
    ),
]
Language = Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$", examples=["en"], description="As in BCP 47.")]


class TopicName(Input):
    """What a topic is called in a language. name: as people read it."""

    language: Language
    name: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S", examples=["Board games"])]


Names = Annotated[list[TopicName], Meta(min_length=1, max_length=20, description="One for each language.")]


class CreateTopicInput(Input):
    """What a new category or tag is."""

    kind: TopicKind
    slug: Slug
    names: Names


class UpdateTopicInput(Input):
    """What changes of a category or tag; what is absent stays as it is."""

    slug: Slug | UnsetType = UNSET
    names: Names | UnsetType = UNSET


@command("POST /topics", "createTopic", allow=member, permission=TOPIC_MANAGE, limit=API, answers=(201,))
async def create_topic(ctx: Ctx, *, input: CreateTopicInput) -> TopicView:
    """Make a category, or explain a tag.

    Raises Invalid, TopicTaken.
    """
    _check_slug(input.kind, input.slug)
    topic_id = await queries.put_topic(ctx, input.kind, input.slug, _as_json(input.names))
    if topic_id is None:
        raise TopicTaken
    ctx.record(TopicCreated(topic_id=topic_id, slug=input.slug))
    return TopicView.ref(topic_id, created=True)


@command("PATCH /topics/{id}", "updateTopic", allow=member, permission=TOPIC_MANAGE, limit=API)
async def update_topic(ctx: Ctx, *, id: UUID, input: UpdateTopicInput) -> TopicView:
    """Call a category or a tag something else; events that have it keep it under its new slug.

    Raises TopicNotFound, Invalid, TopicTaken.
    """
    before = await _lock(ctx, id)
    slug = before.slug if input.slug is UNSET else input.slug
    names = before.names if input.names is UNSET else _as_json(input.names)
    if slug != before.slug:
        _check_slug(before.kind, slug)
        if await queries.is_taken(ctx, before, slug):
            raise TopicTaken
    await queries.edit_topic(ctx, before, slug, names)
    ctx.record(TopicUpdated(topic_id=id, slug=slug))
    return TopicView.ref(id)


@command("DELETE /topics/{id}", "deleteTopic", allow=member, permission=TOPIC_MANAGE, limit=API)
async def delete_topic(ctx: Ctx, *, id: UUID) -> None:
    """Delete a category or a tag, and take it from every event.

    Raises TopicNotFound.
    """
    topic = await _lock(ctx, id)
    await queries.delete_topic(ctx, topic)
    ctx.record(TopicDeleted(topic_id=id, slug=topic.slug))


async def known_categories(ctx: Ctx, slugs: Sequence[str]) -> list[UUID]:
    """The categories that an event is given; they stay until the transaction ends. Raises Invalid for what is none."""
    found = await queries.keep_categories(ctx, slugs)
    problems = [
        FieldProblem(f"input.categories[{at}]", "INVALID", "is no category here; see `topics`")
        for at, slug in enumerate(slugs)
        if slug not in found
    ]
    if problems:
        raise Invalid(f"{problems[0].path}: {problems[0].message}", fields=tuple(problems))
    return [*found.values()]


async def _lock(ctx: Ctx, topic_id: UUID) -> LockedTopic:
    found = await queries.lock_topic(ctx, topic_id)
    if found is None:
        raise TopicNotFound
    return found


def _check_slug(kind: TopicKind, slug: str) -> None:
    if (problem := slug_problem(kind, slug)) is not None:
        raise Invalid.field("input.slug", problem)


def _as_json(names: list[TopicName]) -> Json:
    """The names by language. Raises Invalid for a language that is named twice."""
    found: dict[str, str] = {}
    for at, each in enumerate(names):
        if each.language in found:
            raise Invalid.field(f"input.names[{at}].language", "is named above already")
        found[each.language] = each.name
    return Json(msgspec.json.encode(found).decode())

"""SQL that topics need: their locks, and what events hold of them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, any_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.events.tables import EventTag
from muster.events.topics.tables import EventCategory, Topic, TopicKind
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.db.tables import Json
from muster.kit.ids import new_id


class LockedTopic(Row):
    """A topic under its lock."""

    id: UUID
    kind: TopicKind
    slug: str
    names: Json


class KnownTopic(Row):
    """A topic that stays until the transaction ends."""

    id: UUID
    slug: str


class TopicId(Row):
    """Which topic."""

    id: UUID


_TOPIC, _EVENT = bindparam("topic", type_=Uuid()), bindparam("event", type_=Uuid())
_LOCK = Statement(LockedTopic, select(*columns(LockedTopic, Topic)).where(Topic.id == _TOPIC).with_for_update())
# The lock that a foreign key takes, too: nobody deletes the category before the event has it.
_CATEGORIES = Statement(
    KnownTopic,
    select(*columns(KnownTopic, Topic))
    .where(Topic.kind == TopicKind.CATEGORY, Topic.slug == any_(bindparam("slugs", type_=ARRAY(Text()))))
    .order_by(Topic.id)
    .with_for_update(key_share=True, read=True),
)
# Two who want one slug at once: the unique constraint decides, and the loser gets no row.
_PUT = Statement(
    TopicId,
    insert(Topic).on_conflict_do_nothing(index_elements=["tenant_id", "kind", "slug"]).returning(Topic.id),
    insert_keys=("tenant_id", "id", "kind", "slug", "names", "created_at", "updated_at"),
)
_TAKEN = Statement(
    TopicId,
    select(Topic.id).where(Topic.kind == bindparam("kind"), Topic.slug == bindparam("slug"), Topic.id != _TOPIC),
)
_EDIT = Statement(
    Nothing,
    update(Topic)
    .where(Topic.id == _TOPIC)
    .values(
        slug=bindparam("new_slug"),
        names=bindparam("new_names", type_=Topic.__table__.c.names.type),
        updated_at=bindparam("at", type_=Topic.__table__.c.updated_at.type),
    ),
)
_RELABEL = Statement(
    Nothing,
    insert(EventTag)
    .from_select(
        ["tenant_id", "id", "event_id", "tag"],
        select(EventTag.tenant_id, func.uuidv7(), EventTag.event_id, bindparam("new_tag", type_=Text())).where(
            EventTag.tag == bindparam("old_tag")
        ),
    )
    .on_conflict_do_nothing(),
)
_FORGET_TAG = Statement(Nothing, delete(EventTag).where(EventTag.tag == bindparam("old_tag")))
_FORGET_CATEGORY = Statement(Nothing, delete(EventCategory).where(EventCategory.topic_id == _TOPIC))
_DELETE = Statement(Nothing, delete(Topic).where(Topic.id == _TOPIC))
_FORGET_OF_EVENT = Statement(Nothing, delete(EventCategory).where(EventCategory.event_id == _EVENT))
_PUT_OF_EVENT = insertion(Nothing, EventCategory, "tenant_id", "id", "event_id", "topic_id")


async def lock_topic(ctx: Ctx, topic_id: UUID) -> LockedTopic | None:
    """Lock a topic, so that no event is given it meanwhile; None without one."""
    return await ctx.db.one(_LOCK, topic=topic_id)


async def put_topic(ctx: Ctx, kind: TopicKind, slug: str, names: Json) -> UUID | None:
    """Keep a new topic; None when the slug is taken."""
    await _wait_for_turn(ctx)
    stamps = {"created_at": ctx.now, "updated_at": ctx.now}
    made = await ctx.db.one(_PUT, tenant_id=ctx.tenant_id, id=new_id(), kind=kind, slug=slug, names=names, **stamps)
    return None if made is None else made.id


async def is_taken(ctx: Ctx, topic: LockedTopic, slug: str) -> bool:
    """Whether another topic of the kind has the slug; it stays so until the transaction ends."""
    await _wait_for_turn(ctx)
    return await ctx.db.one(_TAKEN, kind=topic.kind, slug=slug, topic=topic.id) is not None


async def _wait_for_turn(ctx: Ctx) -> None:
    # Whoever names topics takes turns, so that the look for a taken slug stays true until it is taken.
    await ctx.db.take_turn(f"topics {ctx.tenant_id}")


async def edit_topic(ctx: Ctx, before: LockedTopic, slug: str, names: Json) -> None:
    """Store a locked topic as edited; events that hold a tag hold its new word."""
    await ctx.db.run(_EDIT, topic=before.id, new_slug=slug, new_names=names, at=ctx.now)
    if before.kind == TopicKind.TAG and slug != before.slug:
        await ctx.db.run(_RELABEL, new_tag=slug, old_tag=before.slug)
        await ctx.db.run(_FORGET_TAG, old_tag=before.slug)


async def delete_topic(ctx: Ctx, topic: LockedTopic) -> None:
    """Delete a locked topic, and take it from every event."""
    if topic.kind == TopicKind.TAG:
        await ctx.db.run(_FORGET_TAG, old_tag=topic.slug)
    await ctx.db.run(_FORGET_CATEGORY, topic=topic.id)
    await ctx.db.run(_DELETE, topic=topic.id)


async def keep_categories(ctx: Ctx, slugs: Collection[str]) -> dict[str, UUID]:
    """The categories with these slugs, which stay until the transaction ends."""
    found = await ctx.db.all(_CATEGORIES, slugs=list(slugs)) if slugs else []
    return {each.slug: each.id for each in found}


async def put_categories(ctx: Ctx, event_id: UUID, topic_ids: Sequence[UUID], *, anew: bool = False) -> None:
    """Give an event categories. anew: instead of those that it has."""
    if anew:
        await ctx.db.run(_FORGET_OF_EVENT, event=event_id)
    rows = [{"tenant_id": ctx.tenant_id, "id": new_id(), "event_id": event_id, "topic_id": each} for each in topic_ids]
    if rows:
        await ctx.db.each(_PUT_OF_EVENT, rows)

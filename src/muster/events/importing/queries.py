"""SQL of the import: many rows a statement, since a file holds thousands."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, select, update

from muster.events.importing.records import STORED, Arrival
from muster.events.tables import (
    Event,
    EventMember,
    EventMemberRole,
    EventMemberStatus,
    EventStatus,
    EventTag,
    WaitlistPolicy,
)
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id


class Known(Row):
    """An event that came from the source before. source_digest: of the row that it was last made from."""

    id: UUID
    source_id: str
    source_digest: str | None
    status: EventStatus


_GIVEN = (
    *("tenant_id", "id", "owner_id", "status", "published_at", "source", "source_id"),
    *("join_mode", "mode", "min", "max", "visibility"),
    *(
        "joined_count",
        "held_count",
        "waitlist_policy",
        "last_queue_number",
        "created_at",
        "updated_at",
        "version",
        "source_digest",
    ),
)

_KNOWN = Statement(
    Known,
    select(*columns(Known, Event)).where(
        Event.source == bindparam("name"), Event.source_id == any_(bindparam("ids", type_=ARRAY(Text())))
    ),
)
_PUT_EVENT = insertion(Nothing, Event, *_GIVEN, *STORED, "description_html")
_PUT_MEMBER = insertion(
    Nothing,
    EventMember,
    "tenant_id",
    "id",
    "event_id",
    "user_id",
    "role",
    "status",
    "asked_at",
    "joined_at",
    "party_size",
)
_PUT_TAG = insertion(Nothing, EventTag, "tenant_id", "id", "event_id", "tag")
_PUT_DIGEST = Statement(
    Nothing, update(Event).where(Event.id == bindparam("event")).values(source_digest=bindparam("digest"))
)


async def lock_source(ctx: Ctx, source: str) -> None:
    """Let one transaction at a time import from a source into this community."""
    # The second waits here, and then sees what the first one made.
    await ctx.db.take_turn(f"import {ctx.tenant_id} {source}")


async def known(ctx: Ctx, source: str, source_ids: Sequence[str]) -> dict[str, Known]:
    """Which events came from the source before, by its own ids."""
    found = await ctx.db.all(_KNOWN, name=source, ids=source_ids)
    return {each.source_id: each for each in found}


async def put_events(ctx: Ctx, source: str, arrivals: Mapping[UUID, Arrival]) -> None:
    """Store rows as published events of whom the system acts for, who takes the first place. arrivals: by new ids."""
    shared = {
        "tenant_id": ctx.tenant_id,
        "owner_id": ctx.user_id,
        "status": EventStatus.PUBLISHED,
        "published_at": ctx.now,
        "source": source,
        "joined_count": 1,
        "held_count": 0,
        "waitlist_policy": WaitlistPolicy.FIFO_STRICT,
        "last_queue_number": 0,
        "created_at": ctx.now,
        "updated_at": ctx.now,
        "version": 1,
    }
    rows = [
        {**shared, **each.values, "source_id": each.source_id, "source_digest": each.digest, "id": event_id}
        for event_id, each in arrivals.items()
    ]
    await ctx.db.each(_PUT_EVENT, rows)
    await _put_owners(ctx, arrivals)
    await _put_tags(ctx, arrivals)


async def put_digest(ctx: Ctx, event_id: UUID, digest: str) -> None:
    """Note of which row an event was last made."""
    await ctx.db.run(_PUT_DIGEST, event=event_id, digest=digest)


async def _put_owners(ctx: Ctx, event_ids: Iterable[UUID]) -> None:
    shared = {
        "tenant_id": ctx.tenant_id,
        "user_id": ctx.user_id,
        "role": EventMemberRole.OWNER,
        "status": EventMemberStatus.JOINED,
        "asked_at": ctx.now,
        "joined_at": ctx.now,
        "party_size": 1,
    }
    await ctx.db.each(_PUT_MEMBER, [{**shared, "id": new_id(), "event_id": each} for each in event_ids])


async def _put_tags(ctx: Ctx, arrivals: Mapping[UUID, Arrival]) -> None:
    rows = [
        {"tenant_id": ctx.tenant_id, "id": new_id(), "event_id": event_id, "tag": tag}
        for event_id, each in arrivals.items()
        for tag in each.tags
    ]
    await ctx.db.each(_PUT_TAG, rows)

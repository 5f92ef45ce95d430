"""SQL of share links. They are made and withdrawn under the lock of their event."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, delete, select

from muster.events.sharing.keys import opened_by
from muster.events.sharing.tables import EventShare
from muster.events.tables import Event
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, given, insertion


class Share(Row):
    """The share link of an event."""

    id: UUID
    key_hash: str


class Opened(Row):
    """An event that a key opens."""

    event_id: UUID
    key: str


_OF_EVENT = EventShare.event_id == bindparam("event")
_SHARE = Statement(Share, select(*columns(Share, EventShare)).where(_OF_EVENT))
_PUT = insertion(Nothing, EventShare, "tenant_id", "id", "event_id", "key_hash", "created_at")
_FORGET = Statement(Nothing, delete(EventShare).where(_OF_EVENT))
_brought = given(event=Uuid(), key=Text())
_OPENED = Statement(
    Opened,
    select(_brought.c.event.label("event_id"), _brought.c.key)
    .join(Event, Event.id == _brought.c.event)
    .where(opened_by(Event, _brought.c.key)),
)


async def share_of(ctx: Ctx, event_id: UUID) -> Share | None:
    """The share link of an event."""
    return await ctx.db.one(_SHARE, event=event_id)


async def put_share(ctx: Ctx, share_id: UUID, event_id: UUID, key_hash: str) -> None:
    """Keep a share link."""
    await ctx.db.run(
        _PUT, tenant_id=ctx.tenant_id, id=share_id, event_id=event_id, key_hash=key_hash, created_at=ctx.now
    )


async def forget_share(ctx: Ctx, event_id: UUID) -> None:
    """Withdraw the share link of an event, if it has one."""
    await ctx.db.run(_FORGET, event=event_id)


async def opened(tx: Transaction, brought: Collection[tuple[UUID, str]]) -> frozenset[tuple[UUID, str]]:
    """Which of these events are opened by the keys that people bring for them."""
    found = await tx.all(_OPENED, event=[each for each, _ in brought], key=[key for _, key in brought])
    return frozenset((each.event_id, each.key) for each in found)

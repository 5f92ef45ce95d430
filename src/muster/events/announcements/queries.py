"""SQL that announcements need."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from muster.events.announcements.tables import Announcement, Hearer
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, insertion
from muster.kit.ids import new_id


class Made(Row):
    """When something was announced."""

    created_at: datetime


class Said(Row):
    """What was announced."""

    content: str


_OF_EVENT = Announcement.event_id == bindparam("event", type_=Announcement.event_id.type)
_OLDEST = Statement(
    Made,
    select(Announcement.created_at)
    .where(_OF_EVENT, Announcement.created_at > bindparam("moment", type_=Announcement.created_at.type))
    .order_by(Announcement.created_at.desc(), Announcement.id.desc())
    .offset(bindparam("skipped"))
    .limit(1),
)
_PUT = insertion(Nothing, Announcement, "tenant_id", "id", "event_id", "author_id", "audience", "content", "created_at")
_SAID = Statement(Said, select(Announcement.content).where(Announcement.id == bindparam("announcement")))


async def oldest_of(ctx: Ctx, event_id: UUID, number: int, since: datetime) -> datetime | None:
    """When the first of the last so many announcements was made; None when there were fewer since then."""
    found = await ctx.db.one(_OLDEST, event=event_id, moment=since, skipped=number - 1)
    return None if found is None else found.created_at


async def put_announcement(ctx: Ctx, event_id: UUID, content: str, audience: Sequence[Hearer]) -> UUID:
    """Keep what the acting person announces; answers with its id."""
    made = new_id()
    values = {"author_id": ctx.user_id, "audience": list(audience), "content": content, "created_at": ctx.now}
    await ctx.db.run(_PUT, tenant_id=ctx.tenant_id, id=made, event_id=event_id, **values)
    return made


async def said(ctx: Ctx, announcement_id: UUID) -> str | None:
    """What was announced; None when it is gone."""
    found = await ctx.db.one(_SAID, announcement=announcement_id)
    return None if found is None else found.content

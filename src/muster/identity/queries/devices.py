"""SQL of where sessions were opened."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from muster.identity.tables import Session, User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement


class Opened(Row):
    """Where a session was opened."""

    id: UUID
    agent: str | None
    address: str | None
    created_at: datetime


class Since(Row):
    """Since when there is an account."""

    created_at: datetime


_PERSON = bindparam("person", type_=Session.user_id.type)
_OPENED = Statement(
    Opened,
    select(Session.id, Session.agent, Session.address, Session.created_at)
    .where(Session.user_id == _PERSON)
    .order_by(Session.created_at, Session.id),
)
_SINCE = Statement(Since, select(User.created_at).where(User.id == _PERSON))


async def opened(ctx: Ctx, user_id: UUID) -> list[Opened]:
    """The sessions of a person that are still known, also those that ended, the oldest first."""
    return await ctx.db.all(_OPENED, person=user_id)


async def since(ctx: Ctx, user_id: UUID) -> datetime | None:
    """Since when somebody has an account."""
    found = await ctx.db.one(_SINCE, person=user_id)
    return None if found is None else found.created_at

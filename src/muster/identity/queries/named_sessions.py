"""Sessions whose names come from elsewhere: of an issuer whose tokens are taken, or of a header in development."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, func, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import Session
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement

_LONGEST_AGENT = 300


class SessionId(Row):
    """Which session."""

    id: UUID


# Of two who bring one token at once, one opens the session, and the other finds it.
_PUT = Statement(
    SessionId,
    insert(Session).on_conflict_do_nothing(index_elements=["id"]).returning(Session.id),
    insert_keys=(
        *("id", "user_id", "generation", "created_at", "refreshed_at", "expires_at", "address", "agent", "proved_at"),
    ),
)
_EXTEND = Statement(
    Nothing,
    update(Session)
    .where(
        Session.id == bindparam("session", type_=Session.id.type),
        Session.user_id == bindparam("person", type_=Session.user_id.type),
    )
    .values(expires_at=func.greatest(Session.expires_at, bindparam("until", type_=Session.expires_at.type))),
)


async def put_named_session(ctx: Ctx, session_id: UUID, *, user_id: UUID, expires_at: datetime) -> bool:
    """Open a person's session, or let the one that is there last longer; one that was revoked stays so.

    True when it is new. It proves nothing: what asks for a proof asks for one still.
    """
    made = await ctx.db.one(
        _PUT,
        id=session_id,
        user_id=user_id,
        generation=0,
        created_at=ctx.now,
        refreshed_at=ctx.now,
        expires_at=expires_at,
        address=ctx.address,
        agent=None if ctx.agent is None else ctx.agent[:_LONGEST_AGENT],
        proved_at=None,
    )
    if made is None:
        await ctx.db.run(_EXTEND, session=session_id, person=user_id, until=expires_at)
    return made is not None

"""SQL of sessions: opening, proving, renewing and ending them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, bindparam, delete, func, select, update

from muster.identity.devices.tables import DeviceRequest, DeviceState
from muster.identity.tables import Session, User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, given, insertion
from muster.kit.ids import new_id

# Of what a browser says of itself; enough to tell devices apart.
_LONGEST_AGENT = 300


class Family(Row):
    """A session as the family of its refresh tokens."""

    id: UUID
    user_id: UUID
    generation: int
    refreshed_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


_PERSON = bindparam("person", type_=User.id.type)
_MOMENT = bindparam("moment", type_=Session.created_at.type)
_PUT_SESSION = insertion(
    Nothing,
    Session,
    "id",
    "user_id",
    "generation",
    "created_at",
    "refreshed_at",
    "expires_at",
    "address",
    "agent",
    "proved_at",
)
_SESSION = bindparam("session", type_=Session.id.type)
_SESSIONS = bindparam("sessions", type_=ARRAY(Session.id.type))
# Of many who refresh one session at once, each decides on what the one before has left. Locks are taken in order of ids,
# so that no two crowds wait for each other.
_LOCK_FAMILIES = Statement(
    Family,
    select(*columns(Family, Session)).where(Session.id == func.any(_SESSIONS)).order_by(Session.id).with_for_update(),
)
# A session is written at most once in a transaction: nobody has the next token before that is committed, and whoever ends
# a session goes alone.
_spent = given(session=Session.id.type, moment=Session.refreshed_at.type)
_ROTATE = Statement(
    Nothing,
    update(Session)
    .where(Session.id == _spent.c.session)
    .values(generation=Session.generation + 1, refreshed_at=_spent.c.moment),
)
_stolen = given(session=Session.id.type, moment=Session.revoked_at.type)
_END = Statement(Nothing, update(Session).where(Session.id == _stolen.c.session).values(revoked_at=_stolen.c.moment))
_PROVE = Statement(Nothing, update(Session).where(Session.id == _SESSION).values(proved_at=_MOMENT))
_OPEN = Session.revoked_at.is_(None)
_REVOKE = Statement(
    Nothing,
    update(Session).where(Session.id == _SESSION, Session.user_id == _PERSON, _OPEN).values(revoked_at=_MOMENT),
)
_REVOKE_ALL = Statement(
    Nothing,
    update(Session)
    .where(Session.user_id == _PERSON, _OPEN, Session.id.is_distinct_from(_SESSION))
    .values(revoked_at=_MOMENT),
)
_LET_IN = DeviceRequest.state == DeviceState.APPROVED
_VOID_DEVICES = Statement(
    Nothing, update(DeviceRequest).where(DeviceRequest.user_id == _PERSON, _LET_IN).values(state=DeviceState.DENIED)
)
_robbed = given(person=DeviceRequest.user_id.type)
_VOID_DEVICES_OF = Statement(
    Nothing,
    update(DeviceRequest).where(DeviceRequest.user_id == _robbed.c.person, _LET_IN).values(state=DeviceState.DENIED),
)
_FORGET_SESSIONS = Statement(Nothing, delete(Session).where(Session.expires_at < _MOMENT))


async def put_session(ctx: Ctx, *, user_id: UUID, lifetime: timedelta, proved: bool) -> UUID:
    """Open a session; answers with its id. proved: its person has just shown who they are."""
    session_id = new_id()
    await ctx.db.run(
        _PUT_SESSION,
        id=session_id,
        user_id=user_id,
        generation=0,
        created_at=ctx.now,
        refreshed_at=ctx.now,
        expires_at=ctx.now + lifetime,
        address=ctx.address,
        agent=None if ctx.agent is None else ctx.agent[:_LONGEST_AGENT],
        proved_at=ctx.now if proved else None,
    )
    return session_id


async def prove_session(ctx: Ctx, session_id: UUID) -> None:
    """Note that a session's person has just shown who they are."""
    await ctx.db.run(_PROVE, session=session_id, moment=ctx.now)


async def lock_families(tx: Transaction, session_ids: Iterable[UUID]) -> dict[UUID, Family]:
    """Lock sessions against other refreshes; those that are there, by their ids."""
    return {each.id: each for each in await tx.all(_LOCK_FAMILIES, sessions=list(session_ids))}


def rotate(ctx: Ctx, family: Family) -> None:
    """Spend the newest refresh token of a locked session, and count the next; whoever shares the lock sees it at once."""
    ctx.write(_ROTATE, session=family.id, moment=ctx.now)
    family.generation += 1
    family.refreshed_at = ctx.now


def end_family(ctx: Ctx, family: Family) -> None:
    """End a locked session, of which somebody has a copy, and turn away the devices that were let in by it."""
    ctx.write(_END, session=family.id, moment=ctx.now)
    ctx.write(_VOID_DEVICES_OF, person=family.user_id)


async def revoke_session(ctx: Ctx, session_id: UUID, *, user_id: UUID) -> bool:
    """End a session of a person now; False when they have no such open session."""
    await _void_devices(ctx, user_id)
    return await ctx.db.run(_REVOKE, session=session_id, person=user_id, moment=ctx.now) > 0


async def revoke_sessions(ctx: Ctx, user_id: UUID, *, but: UUID | None = None) -> None:
    """End every session of a person now. but: one that stays."""
    await _void_devices(ctx, user_id)
    await ctx.db.run(_REVOKE_ALL, person=user_id, session=but, moment=ctx.now)


async def _void_devices(ctx: Ctx, user_id: UUID) -> None:
    """Turn away the devices that a person, or a thief in their name, has let in and that have no session yet.

    Before any session ends: a device that is just getting its own holds its row until it has it, and then that ends, too.
    """
    await ctx.db.run(_VOID_DEVICES, person=user_id)


async def forget_sessions(ctx: Ctx, expired_before: datetime) -> int:
    """Remove sessions that expired long ago; answers with how many."""
    return await ctx.db.run(_FORGET_SESSIONS, moment=expired_before)

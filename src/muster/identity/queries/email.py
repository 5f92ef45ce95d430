"""SQL about changes of mail addresses."""

from datetime import datetime, timedelta
from uuid import UUID

from asyncpg import UniqueViolationError
from sqlalchemy import bindparam, delete, func, or_, select, update

from muster.identity.queries.accounts import lock_links
from muster.identity.rules import EMAIL_CHANGE_LASTS
from muster.identity.tables import EmailChange, User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id

CHANGES_AN_HOUR = 3
"""So many changes of address an account may ask for in an hour: each mails two addresses, one of them a stranger's."""


class Change(Row):
    """A change of address as it stands."""

    id: UUID
    user_id: UUID
    old_address: str
    new_address: str
    expires_at: datetime
    approved_at: datetime | None
    confirmed_at: datetime | None
    ended_at: datetime | None


_CHANGE = bindparam("change", type_=EmailChange.id.type)
_PERSON = bindparam("person", type_=User.id.type)
_MOMENT = bindparam("moment", type_=User.created_at.type)
_RECENT = Statement(
    Nothing, select(EmailChange.id).where(EmailChange.user_id == _PERSON, EmailChange.created_at > _MOMENT)
)
_GIVE_UP = Statement(
    Nothing,
    update(EmailChange).where(EmailChange.user_id == _PERSON, EmailChange.ended_at.is_(None)).values(ended_at=_MOMENT),
)
_PUT = insertion(
    Nothing, EmailChange, "id", "user_id", "old_address", "new_address", "created_at", "expires_at", "approved_at"
)
_READ = Statement(Change, select(*columns(Change, EmailChange)).where(EmailChange.id == _CHANGE))
_SAY_YES = Statement(
    Nothing,
    update(EmailChange)
    .where(EmailChange.id == _CHANGE)
    .values(
        approved_at=func.coalesce(EmailChange.approved_at, bindparam("approved", type_=User.created_at.type)),
        confirmed_at=func.coalesce(EmailChange.confirmed_at, bindparam("confirmed", type_=User.created_at.type)),
    ),
)
_END = Statement(Nothing, update(EmailChange).where(EmailChange.id == _CHANGE).values(ended_at=_MOMENT))
_MOVE = Statement(
    Nothing,
    update(User)
    .where(User.id == _PERSON, User.email == bindparam("old", type_=User.email.type))
    .values(email=bindparam("new", type_=User.email.type), verified_at=_MOMENT),
)
_FORGET = Statement(
    Nothing, delete(EmailChange).where(or_(EmailChange.expires_at < _MOMENT, EmailChange.ended_at < _MOMENT))
)


async def begin_change(ctx: Ctx, *, old: str, new: str, asks_old: bool) -> UUID | None:
    """Begin a change of the caller's address, in place of any other; None when they had their share of this hour.

    asks_old: whether the old address has to confirm, too. The lock makes two who ask at once count each other.
    """
    await lock_links(ctx, ctx.user_id)
    if await ctx.db.run(_RECENT, person=ctx.user_id, moment=ctx.now - timedelta(hours=1)) >= CHANGES_AN_HOUR:
        return None
    await ctx.db.run(_GIVE_UP, person=ctx.user_id, moment=ctx.now)
    change_id = new_id()
    await ctx.db.run(
        _PUT,
        id=change_id,
        user_id=ctx.user_id,
        old_address=old,
        new_address=new,
        created_at=ctx.now,
        expires_at=ctx.now + EMAIL_CHANGE_LASTS,
        approved_at=None if asks_old else ctx.now,
    )
    return change_id


async def give_up_changes(ctx: Ctx, user_id: UUID) -> None:
    """Let no change of address that a person has asked for be confirmed any more."""
    await lock_links(ctx, user_id)
    await ctx.db.run(_GIVE_UP, person=user_id, moment=ctx.now)


async def read_change(tx: Transaction, change_id: UUID) -> Change | None:
    """A change as it stands."""
    return await tx.one(_READ, change=change_id)


async def lock_change(ctx: Ctx, change_id: UUID) -> Change | None:
    """The same under the lock of its account's links: of two addresses that confirm at once, the second sees what the
    first has said, and makes the change. Nor is it given up for another meanwhile.
    """
    found = await read_change(ctx.db, change_id)
    if found is None:
        return None
    await lock_links(ctx, found.user_id)
    return await read_change(ctx.db, change_id)


async def say_yes(ctx: Ctx, change_id: UUID, *, old: bool) -> None:
    """Note that an address confirms a locked change. old: the old one does."""
    approved, confirmed = (ctx.now, None) if old else (None, ctx.now)
    await ctx.db.run(_SAY_YES, change=change_id, approved=approved, confirmed=confirmed)


async def move_account(ctx: Ctx, change: Change) -> bool:
    """Give an account its new address; False when somebody else has that by now, and then nothing can follow.

    Of two accounts that move to one address at once, the unique constraint lets one.
    """
    try:
        moved = await ctx.db.run(
            _MOVE, person=change.user_id, old=change.old_address, new=change.new_address, moment=ctx.now
        )
    except UniqueViolationError:
        return False
    await ctx.db.run(_END, change=change.id, moment=ctx.now)
    return moved > 0


async def forget_changes(ctx: Ctx, ended_before: datetime) -> int:
    """Remove changes that were done or expired long ago; answers with how many."""
    return await ctx.db.run(_FORGET, moment=ended_before)

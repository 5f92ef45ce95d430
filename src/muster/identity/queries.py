"""SQL that identity's commands need."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import Password, Session, User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, insertion
from muster.kit.ids import new_id


class UserId(Row):
    """The id of a person."""

    id: UUID


class Credentials(Row):
    """A person and the hash of their password."""

    id: UUID
    hash: str


class Mailbox(Row):
    """Where somebody gets mail, and since when it is known to be theirs."""

    email: str
    verified_at: datetime | None


# Two people who register one mail at once: the unique constraint decides, and the loser gets no row.
_PUT_USER = Statement(
    UserId,
    insert(User).on_conflict_do_nothing(index_elements=["email"]).returning(User.id),
    insert_keys=("id", "name", "email", "created_at", "verified_at"),
)
_PUT_PASSWORD = insertion(Nothing, Password, "id", "hash", "changed_at")
_PUT_SESSION = insertion(Nothing, Session, "id", "user_id", "refresh_hash", "created_at", "expires_at")
_CREDENTIALS = Statement(
    Credentials,
    select(User.id, Password.hash).join(Password, Password.id == User.id).where(User.email == bindparam("mail")),
)
_ANY_ACCOUNT = Statement(UserId, select(User.id).limit(1))
_USER_BY_EMAIL = Statement(UserId, select(User.id).where(User.email == bindparam("mail")))
_MAILBOX = Statement(
    Mailbox,
    select(User.email, User.verified_at).where(User.id == bindparam("person", type_=User.id.type)),
)
_REVOKE = Statement(
    Nothing,
    update(Session)
    .where(Session.id == bindparam("session"), Session.revoked_at.is_(None))
    .values(revoked_at=bindparam("moment")),
)
_FORGET = Statement(Nothing, delete(Session).where(Session.expires_at < bindparam("moment")))


async def put_user(ctx: Ctx, *, name: str, email: str, verified: bool) -> UUID | None:
    """Make an account; None when the mail is taken."""
    verified_at = ctx.now if verified else None
    made = await ctx.db.one(_PUT_USER, id=new_id(), name=name, email=email, created_at=ctx.now, verified_at=verified_at)
    return None if made is None else made.id


async def put_password(ctx: Ctx, *, user_id: UUID, hashed: str) -> None:
    """Give a new account its password."""
    await ctx.db.run(_PUT_PASSWORD, id=user_id, hash=hashed, changed_at=ctx.now)


async def put_session(ctx: Ctx, *, user_id: UUID, refresh_hash: str, lifetime: timedelta) -> UUID:
    """Open a session; answers with its id."""
    session_id = new_id()
    await ctx.db.run(
        _PUT_SESSION,
        id=session_id,
        user_id=user_id,
        refresh_hash=refresh_hash,
        created_at=ctx.now,
        expires_at=ctx.now + lifetime,
    )
    return session_id


async def credentials(tx: Transaction, email: str) -> Credentials | None:
    """The account behind a mail, with its hash."""
    return await tx.one(_CREDENTIALS, mail=email)


async def any_account(ctx: Ctx) -> bool:
    """Whether anybody has an account yet."""
    return await ctx.db.one(_ANY_ACCOUNT) is not None


async def user_by_email(ctx: Ctx, email: str) -> UUID | None:
    """The account behind a mail."""
    found = await ctx.db.one(_USER_BY_EMAIL, mail=email)
    return None if found is None else found.id


async def mailbox(ctx: Ctx, user_id: UUID) -> Mailbox | None:
    """Where a person gets mail; None when there is no such person any more."""
    return await ctx.db.one(_MAILBOX, person=user_id)


async def revoke_session(ctx: Ctx, session_id: UUID) -> None:
    """End a session now."""
    await ctx.db.run(_REVOKE, session=session_id, moment=ctx.now)


async def forget_sessions(ctx: Ctx, expired_before: datetime) -> int:
    """Remove sessions that expired long ago; answers with how many."""
    return await ctx.db.run(_FORGET, moment=expired_before)

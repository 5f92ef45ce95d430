"""SQL that identity's commands and handlers need."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.tables import Link, LinkPurpose, Password, User
from muster.kit.commands.context import Ctx
from muster.kit.db.database import Transaction
from muster.kit.db.statements import Nothing, Row, Statement, columns
from muster.kit.ids import new_id

LINKS_AN_HOUR = 3
"""So many links of one purpose are mailed to an account in an hour."""


class UserId(Row):
    """The id of a person."""

    id: UUID


class Life(Row):
    """Whether an account is closed, whether it has ended, and whether an operator disabled it."""

    closed_at: datetime | None
    ended_at: datetime | None
    disabled_at: datetime | None


class Credentials(Row):
    """A person and the hash of their password, with when it was set."""

    id: UUID
    hash: str
    changed_at: datetime


class Mailbox(Row):
    """Where somebody gets mail, since when it is known to be theirs, and what they read."""

    email: str
    verified_at: datetime | None
    locale: str | None


class Tries(Row):
    """The password's standing: wrong ones in a row, the last of them, and when the right one was set."""

    failures: int
    failed_at: datetime | None
    changed_at: datetime


class MailedLink(Row):
    """A link as it was mailed."""

    id: UUID
    user_id: UUID
    purpose: LinkPurpose
    address: str
    expires_at: datetime
    used_at: datetime | None


# Two people who register one mail at once: the unique constraint decides, and the loser gets no row.
_PUT_USER = Statement(
    UserId,
    insert(User).on_conflict_do_nothing(index_elements=["email"]).returning(User.id),
    insert_keys=("id", "name", "email", "created_at", "verified_at", "locale", "timezone", "terms_accepted_at"),
)
_MAIL = bindparam("mail", type_=User.email.type)
_PERSON = bindparam("person", type_=User.id.type)
_MOMENT = bindparam("moment", type_=User.created_at.type)
_ANY_ACCOUNT = Statement(UserId, select(User.id).limit(1))
_USER_BY_EMAIL = Statement(UserId, select(User.id).where(User.email == _MAIL))
_MAILBOX = Statement(Mailbox, select(*columns(Mailbox, User)).where(User.id == _PERSON))
_VERIFY = Statement(
    Nothing,
    update(User)
    .where(User.id == _PERSON, User.email == _MAIL)
    .values(verified_at=func.coalesce(User.verified_at, _MOMENT)),
)
# Who signs in and who closes the account at that moment: the second waits here and sees what the first did, so that no
# closed account has an open session.
_LOCK_ACCOUNT = Statement(Life, select(*columns(Life, User)).where(User.id == _PERSON).with_for_update(key_share=True))
_LIFE = Statement(Life, select(*columns(Life, User)).where(User.id == _PERSON))
_DISABLE = Statement(Nothing, update(User).where(User.id == _PERSON).values(disabled_at=_MOMENT))
_CLOSE = Statement(Nothing, update(User).where(User.id == _PERSON).values(closed_at=_MOMENT))

_FRESH_PASSWORD = insert(Password)
_PUT_PASSWORD = Statement(
    Nothing,
    _FRESH_PASSWORD.on_conflict_do_update(
        index_elements=["id"],
        set_={
            "hash": _FRESH_PASSWORD.excluded.hash,
            "changed_at": _FRESH_PASSWORD.excluded.changed_at,
            "failures": _FRESH_PASSWORD.excluded.failures,
        },
    ),
    insert_keys=("id", "hash", "changed_at", "failures"),
)
_CREDENTIALS = select(User.id, Password.hash, Password.changed_at).join(Password, Password.id == User.id)
_CREDENTIALS_BY_EMAIL = Statement(Credentials, _CREDENTIALS.where(User.email == _MAIL))
_CREDENTIALS_BY_ID = Statement(Credentials, _CREDENTIALS.where(User.id == _PERSON))
_FORGET_PASSWORD = Statement(Nothing, delete(Password).where(Password.id == _PERSON))
# Of two who try a password at once, the second counts after the first: no more than the allowed number is ever looked at.
_LOCK_PASSWORD = Statement(Tries, select(*columns(Tries, Password)).where(Password.id == _PERSON).with_for_update())
_PUT_REHASHED = Statement(Nothing, update(Password).where(Password.id == _PERSON).values(hash=bindparam("rehashed")))
_PUT_FAILURES = Statement(
    Nothing,
    update(Password).where(Password.id == _PERSON).values(failures=bindparam("number"), failed_at=_MOMENT),
)

_LINK = bindparam("link", type_=Link.id.type)
_RECENT = Statement(
    Nothing,
    select(Link.id).where(Link.user_id == _PERSON, Link.purpose == bindparam("kind"), Link.created_at > _MOMENT),
)
# A handler that runs twice makes the same link: its id is the fact's.
_PUT_LINK = Statement(
    Nothing,
    insert(Link).on_conflict_do_nothing(index_elements=["id"]),
    insert_keys=("id", "user_id", "purpose", "address", "created_at", "expires_at"),
)
_READ_LINK = Statement(MailedLink, select(*columns(MailedLink, Link)).where(Link.id == _LINK))
_USE_LINK = Statement(
    Nothing,
    update(Link).where(Link.id == _LINK, Link.used_at.is_(None), Link.expires_at > _MOMENT).values(used_at=_MOMENT),
)
_VOID_LINKS = Statement(
    Nothing, update(Link).where(Link.user_id == _PERSON, Link.used_at.is_(None)).values(used_at=_MOMENT)
)
_FORGET_LINKS = Statement(Nothing, delete(Link).where(Link.expires_at < _MOMENT))


async def put_user(
    ctx: Ctx,
    *,
    name: str,
    email: str,
    verified: bool,
    locale: str | None,
    timezone: str | None,
    accepted_terms: bool,
) -> UUID | None:
    """Make an account; None when the mail is taken."""
    made = await ctx.db.one(
        _PUT_USER,
        id=new_id(),
        name=name,
        email=email,
        created_at=ctx.now,
        verified_at=ctx.now if verified else None,
        locale=locale,
        timezone=timezone,
        terms_accepted_at=ctx.now if accepted_terms else None,
    )
    return None if made is None else made.id


async def any_account(ctx: Ctx) -> bool:
    """Whether anybody has an account yet."""
    return await ctx.db.one(_ANY_ACCOUNT) is not None


async def user_by_email(ctx: Ctx, email: str) -> UUID | None:
    """The account behind a mail."""
    found = await ctx.db.one(_USER_BY_EMAIL, mail=email)
    return None if found is None else found.id


async def mailbox(tx: Transaction, user_id: UUID) -> Mailbox | None:
    """Where a person gets mail; None when there is no such person any more."""
    return await tx.one(_MAILBOX, person=user_id)


async def verify(ctx: Ctx, user_id: UUID, address: str) -> bool:
    """Note that a person's mail is theirs; False when they have another one by now."""
    return await ctx.db.run(_VERIFY, person=user_id, mail=address, moment=ctx.now) > 0


async def lock_account(ctx: Ctx, user_id: UUID) -> Life | None:
    """Lock an account against being closed, opened or ended; None when there is none."""
    return await ctx.db.one(_LOCK_ACCOUNT, person=user_id)


async def life_of(tx: Transaction, user_id: UUID) -> Life | None:
    """Whether an account is closed; None when there is none."""
    return await tx.one(_LIFE, person=user_id)


async def put_closed(ctx: Ctx, user_id: UUID, since: datetime | None) -> None:
    """Close a locked account, or open it again."""
    await ctx.db.run(_CLOSE, person=user_id, moment=since)


async def put_disabled(ctx: Ctx, user_id: UUID, since: datetime | None) -> None:
    """Disable a locked account, or enable it again."""
    await ctx.db.run(_DISABLE, person=user_id, moment=since)


async def put_password(ctx: Ctx, *, user_id: UUID, hashed: str) -> None:
    """Give an account a password, in place of the one it has; wrong tries are forgotten."""
    await ctx.db.run(_PUT_PASSWORD, id=user_id, hash=hashed, changed_at=ctx.now, failures=0)


async def forget_password(ctx: Ctx, user_id: UUID) -> None:
    """Let nobody sign in to an account with a password until it is given another."""
    await ctx.db.run(_FORGET_PASSWORD, person=user_id)


async def credentials(tx: Transaction, *, email: str) -> Credentials | None:
    """The account behind a mail, with its hash."""
    return await tx.one(_CREDENTIALS_BY_EMAIL, mail=email)


async def credentials_of(tx: Transaction, user_id: UUID) -> Credentials | None:
    """An account with its hash; None when it has no password."""
    return await tx.one(_CREDENTIALS_BY_ID, person=user_id)


async def lock_password(ctx: Ctx, user_id: UUID) -> Tries | None:
    """Lock an account's password against other tries; None when there is none."""
    return await ctx.db.one(_LOCK_PASSWORD, person=user_id)


async def put_failures(ctx: Ctx, user_id: UUID, number: int) -> None:
    """Note how many wrong passwords came in a row."""
    await ctx.db.run(_PUT_FAILURES, person=user_id, number=number, moment=ctx.now if number else None)


async def put_rehashed(ctx: Ctx, user_id: UUID, hashed: str) -> None:
    """Store the hash of the same password, made in another way; the row is locked."""
    await ctx.db.run(_PUT_REHASHED, person=user_id, rehashed=hashed)


async def lock_links(ctx: Ctx, user_id: UUID) -> None:
    """Lock the links of an account until the transaction ends.

    Two handlers that make one take turns, so that both together make no more than the share. Two people who follow one
    each take turns, too: the first voids the other's, and they do not lock each other's rows crosswise.
    """
    await ctx.db.take_turn(f"links of {user_id}")


async def put_link(ctx: Ctx, *, user_id: UUID, purpose: LinkPurpose, address: str, lifetime: timedelta) -> UUID | None:
    """Make a link that follows from the fact at hand; None when the account had its share of this hour."""
    await lock_links(ctx, user_id)
    recent = await ctx.db.run(_RECENT, person=user_id, kind=purpose, moment=ctx.now - timedelta(hours=1))
    if recent >= LINKS_AN_HOUR or ctx.cause is None:
        return None
    await ctx.db.run(
        _PUT_LINK,
        id=ctx.cause,
        user_id=user_id,
        purpose=purpose,
        address=address,
        created_at=ctx.now,
        expires_at=ctx.now + lifetime,
    )
    return ctx.cause


async def read_link(tx: Transaction, link_id: UUID) -> MailedLink | None:
    """A link as it stands."""
    return await tx.one(_READ_LINK, link=link_id)


async def use_link(ctx: Ctx, link_id: UUID) -> bool:
    """Use a link up; False when it was used already or has expired."""
    return await ctx.db.run(_USE_LINK, link=link_id, moment=ctx.now) > 0


async def void_links(ctx: Ctx, user_id: UUID) -> None:
    """Let no link that was mailed to an account work any more."""
    await ctx.db.run(_VOID_LINKS, person=user_id, moment=ctx.now)


async def forget_links(ctx: Ctx, expired_before: datetime) -> int:
    """Remove links that expired long ago; answers with how many."""
    return await ctx.db.run(_FORGET_LINKS, moment=expired_before)

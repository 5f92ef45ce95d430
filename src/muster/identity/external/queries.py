"""SQL of identities at other providers."""

from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.external.tables import ExternalIdentity
from muster.identity.tables import Passkey, Password
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement
from muster.kit.ids import new_id
from muster.kit.providers import Vouched


class Known(Row):
    """An identity that leads to an account."""

    id: UUID
    user_id: UUID


class Ways(Row):
    """How many ways into an account there are besides mail."""

    number: int


_ISSUER = bindparam("issuer", type_=ExternalIdentity.issuer.type)
_SUBJECT = bindparam("subject", type_=ExternalIdentity.subject.type)
_PERSON = bindparam("person", type_=ExternalIdentity.user_id.type)
_IDENTITY = bindparam("identity", type_=ExternalIdentity.id.type)
_KNOWN = Statement(
    Known,
    select(ExternalIdentity.id, ExternalIdentity.user_id).where(
        ExternalIdentity.issuer == _ISSUER, ExternalIdentity.subject == _SUBJECT
    ),
)
# Of two who bring one identity at once, the unique constraint lets one put it, and the other gets no row.
_PUT = Statement(
    Known,
    insert(ExternalIdentity)
    .on_conflict_do_nothing(index_elements=["issuer", "subject"])
    .returning(ExternalIdentity.id, ExternalIdentity.user_id),
    insert_keys=("id", "user_id", "provider", "issuer", "subject", "email", "created_at", "used_at"),
)
_USE = Statement(
    Nothing,
    update(ExternalIdentity)
    .where(ExternalIdentity.id == _IDENTITY)
    .values(
        used_at=bindparam("moment", type_=ExternalIdentity.used_at.type),
        email=bindparam("mail", type_=ExternalIdentity.email.type),
    ),
)
_REMOVE = Statement(
    Nothing, delete(ExternalIdentity).where(ExternalIdentity.id == _IDENTITY, ExternalIdentity.user_id == _PERSON)
)
_identities = select(func.count()).where(ExternalIdentity.user_id == _PERSON).scalar_subquery()
_passwords = select(func.count()).where(Password.id == _PERSON).scalar_subquery()
_passkeys = select(func.count()).where(Passkey.user_id == _PERSON).scalar_subquery()
_WAYS = Statement(Ways, select((_identities + _passwords + _passkeys).label("number")))


async def known(ctx: Ctx, vouched: Vouched) -> Known | None:
    """The account that somebody vouched for has been linked to."""
    return await ctx.db.one(_KNOWN, issuer=vouched.issuer, subject=vouched.subject)


async def put_identity(ctx: Ctx, vouched: Vouched, *, provider: str, user_id: UUID) -> Known | None:
    """Link an identity to an account; None when it is linked already."""
    return await ctx.db.one(
        _PUT,
        id=new_id(),
        user_id=user_id,
        provider=provider,
        issuer=vouched.issuer,
        subject=vouched.subject,
        email=vouched.email,
        created_at=ctx.now,
        used_at=ctx.now,
    )


async def use_identity(ctx: Ctx, identity: Known, vouched: Vouched) -> None:
    """Note that somebody came in by an identity."""
    await ctx.db.run(_USE, identity=identity.id, moment=ctx.now, mail=vouched.email)


async def lock_ways_in(ctx: Ctx, user_id: UUID) -> None:
    """Lock the ways into an account until the transaction ends: of two that are removed at once, one would be the last."""
    await ctx.db.take_turn(f"ways in of {user_id}")


async def ways_in(ctx: Ctx, user_id: UUID) -> int:
    """How many ways into an account there are besides mail."""
    found = await ctx.db.one(_WAYS, person=user_id)
    return 0 if found is None else found.number


async def remove_identity(ctx: Ctx, identity_id: UUID, *, user_id: UUID) -> bool:
    """Take an identity off its account; False when the person has no such one."""
    return await ctx.db.run(_REMOVE, identity=identity_id, person=user_id) > 0

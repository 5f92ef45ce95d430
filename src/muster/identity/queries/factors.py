"""SQL about second factors: authenticator apps, backup codes, passkeys, and what is begun with them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Text, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.identity.rules import CHALLENGE_LASTS
from muster.identity.tables import BackupCode, Challenge, ChallengePurpose, Passkey, SecondFactor, User
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Nothing, Row, Statement, columns, insertion
from muster.kit.ids import new_id


class Factors(Row):
    """A person's second factors, locked: the standing of their app, wrong codes in a row, how many passkeys there are.

    email: how an app shows whose code it is.
    """

    totp: str | None
    totp_since: datetime | None
    totp_step: int
    failures: int
    failed_at: datetime | None
    passkeys: int
    codes_left: int
    email: str


class Begun(Row):
    """Something begun, locked."""

    id: UUID
    user_id: UUID | None
    session_id: UUID | None
    purpose: ChallengePurpose
    remember: bool


class Held(Row):
    """A passkey as it was stored, locked."""

    id: UUID
    user_id: UUID
    credential: str
    public_key: str
    sign_count: int


class Credential(Row):
    """What a passkey is known by."""

    credential: str


class PasskeyId(Row):
    """The id of a passkey."""

    id: UUID


class Standing(Row):
    """Which second factors somebody has."""

    totp: bool
    passkey: bool
    codes: bool


_PERSON = bindparam("person", type_=User.id.type)
_MOMENT = bindparam("moment", type_=User.created_at.type)
_CHALLENGE = bindparam("challenge", type_=Challenge.id.type)
_PASSKEY = bindparam("passkey", type_=Passkey.id.type)
_CREDENTIAL = bindparam("credential", type_=Passkey.credential.type)

_HAS_TOTP = select(SecondFactor.id).where(SecondFactor.id == _PERSON, SecondFactor.totp_since.is_not(None)).exists()
_OWN_PASSKEYS = select(func.count()).select_from(Passkey).where(Passkey.user_id == _PERSON)
_UNUSED_CODES = select(BackupCode.id).where(BackupCode.user_id == _PERSON, BackupCode.used_at.is_(None))
_STANDING = Statement(
    Standing,
    select(
        _HAS_TOTP.label("totp"),
        select(Passkey.id).where(Passkey.user_id == _PERSON).exists().label("passkey"),
        _UNUSED_CODES.exists().label("codes"),
    ),
)
_MAKE = Statement(
    Nothing,
    insert(SecondFactor).on_conflict_do_nothing(index_elements=["id"]),
    insert_keys=("id", "totp_step", "failures"),
)
# The lock of everything here: codes are tried one after the other, so that each counts and a step is used once, and
# of two who remove the last two factors the second sees that there is only one left.
_LOCK = Statement(Nothing, select(SecondFactor.id).where(SecondFactor.id == _PERSON).with_for_update())
_READ = Statement(
    Factors,
    select(
        SecondFactor.totp,
        SecondFactor.totp_since,
        SecondFactor.totp_step,
        SecondFactor.failures,
        SecondFactor.failed_at,
        _OWN_PASSKEYS.scalar_subquery().label("passkeys"),
        select(func.count()).select_from(_UNUSED_CODES.subquery()).scalar_subquery().label("codes_left"),
        select(User.email).where(User.id == _PERSON).scalar_subquery().label("email"),
    ).where(SecondFactor.id == _PERSON),
)
_PUT_TOTP = Statement(
    Nothing,
    update(SecondFactor)
    .where(SecondFactor.id == _PERSON)
    .values(totp=bindparam("totp"), totp_since=bindparam("since"), totp_step=bindparam("step")),
)
_PUT_FAILURES = Statement(
    Nothing,
    update(SecondFactor).where(SecondFactor.id == _PERSON).values(failures=bindparam("number"), failed_at=_MOMENT),
)

_PUT_CODE = insertion(Nothing, BackupCode, "id", "user_id", "hash")
_DROP_CODES = Statement(Nothing, delete(BackupCode).where(BackupCode.user_id == _PERSON))
_ANY_HASH = func.any(bindparam("hashes", type_=ARRAY(Text())))
_USE_CODE = Statement(
    Nothing,
    update(BackupCode)
    .where(BackupCode.user_id == _PERSON, BackupCode.hash == _ANY_HASH, BackupCode.used_at.is_(None))
    .values(used_at=_MOMENT),
)

_BEGIN = insertion(Nothing, Challenge, "id", "user_id", "session_id", "purpose", "remember", "expires_at")
_OPEN = (Challenge.used_at.is_(None), Challenge.expires_at > _MOMENT)
# Of two who come back with one challenge the second finds it used.
_LOCK_BEGUN = Statement(
    Begun, select(*columns(Begun, Challenge)).where(Challenge.id == _CHALLENGE, *_OPEN).with_for_update()
)
_USE = Statement(Nothing, update(Challenge).where(Challenge.id == _CHALLENGE).values(used_at=_MOMENT))
_VOID = Statement(
    Nothing,
    update(Challenge).where(Challenge.user_id == _PERSON, Challenge.used_at.is_(None)).values(used_at=_MOMENT),
)
_FORGET = Statement(Nothing, delete(Challenge).where(Challenge.expires_at < _MOMENT))

# Two who register one credential at once: the unique constraint decides, and the loser gets no row.
_PUT_PASSKEY = Statement(
    PasskeyId,
    insert(Passkey).on_conflict_do_nothing(index_elements=["credential"]).returning(Passkey.id),
    insert_keys=("id", "user_id", "credential", "public_key", "sign_count", "name", "created_at"),
)
_OWN_CREDENTIALS = Statement(
    Credential, select(Passkey.credential).where(Passkey.user_id == _PERSON).order_by(Passkey.id)
)
# Of two answers of one passkey the second is held against the count that the first has left.
_LOCK_PASSKEY = Statement(
    Held, select(*columns(Held, Passkey)).where(Passkey.credential == _CREDENTIAL).with_for_update()
)
_USE_PASSKEY = Statement(
    Nothing, update(Passkey).where(Passkey.id == _PASSKEY).values(sign_count=bindparam("count"), used_at=_MOMENT)
)
_RENAME = Statement(
    Nothing, update(Passkey).where(Passkey.id == _PASSKEY, Passkey.user_id == _PERSON).values(name=bindparam("name"))
)
_DROP_ALL = Statement(Nothing, delete(Passkey).where(Passkey.user_id == _PERSON))
_DROP = Statement(Nothing, delete(Passkey).where(Passkey.id == _PASSKEY, Passkey.user_id == _PERSON))


async def standing(ctx: Ctx, user_id: UUID) -> Standing:
    """Which second factors somebody has."""
    found = await ctx.db.one(_STANDING, person=user_id)
    assert found is not None, "a select without a table gives a row"
    return found


async def lock_factors(ctx: Ctx, user_id: UUID) -> Factors:
    """Lock a person's second factors, where there are none yet too, and read them."""
    await ctx.db.run(_MAKE, id=user_id, totp_step=0, failures=0)
    await ctx.db.run(_LOCK, person=user_id)
    # Read in a statement of its own: what the one before in line has left is seen only by who looks after the lock.
    found = await ctx.db.one(_READ, person=user_id)
    assert found is not None, "the row was made above, and nobody removes one"
    return found


async def put_totp(ctx: Ctx, user_id: UUID, *, totp: str | None, since: datetime | None, step: int) -> None:
    """Note the sealed secret of a person's app, since when it counts, and the step that was used last."""
    await ctx.db.run(_PUT_TOTP, person=user_id, totp=totp, since=since, step=step)


async def put_failures(ctx: Ctx, user_id: UUID, number: int) -> None:
    """Note how many wrong codes came in a row."""
    await ctx.db.run(_PUT_FAILURES, person=user_id, number=number, moment=ctx.now if number else None)


async def forget_factors(ctx: Ctx, user_id: UUID) -> None:
    """Take every second factor from a person."""
    factors = await lock_factors(ctx, user_id)
    await put_totp(ctx, user_id, totp=None, since=None, step=factors.totp_step)
    await put_failures(ctx, user_id, 0)
    await drop_codes(ctx, user_id)
    await ctx.db.run(_DROP_ALL, person=user_id)


async def put_codes(ctx: Ctx, user_id: UUID, hashes: list[str]) -> None:
    """Give a person backup codes, in place of those they have."""
    await drop_codes(ctx, user_id)
    await ctx.db.each(_PUT_CODE, ({"id": new_id(), "user_id": user_id, "hash": each} for each in hashes))


async def drop_codes(ctx: Ctx, user_id: UUID) -> None:
    """Take all backup codes from a person."""
    await ctx.db.run(_DROP_CODES, person=user_id)


async def use_code(ctx: Ctx, user_id: UUID, hashes: list[str]) -> bool:
    """Use a backup code up; False when the person has none like it, or has used it. hashes: with each secret there is."""
    return await ctx.db.run(_USE_CODE, person=user_id, hashes=hashes, moment=ctx.now) > 0


async def begin(ctx: Ctx, purpose: ChallengePurpose, *, user_id: UUID | None, remember: bool = False) -> UUID:
    """Begin something whose second half comes within five minutes; answers with its id."""
    challenge_id = new_id()
    await ctx.db.run(
        _BEGIN,
        id=challenge_id,
        user_id=user_id,
        session_id=ctx.session_id,
        purpose=purpose,
        remember=remember,
        expires_at=ctx.now + CHALLENGE_LASTS,
    )
    return challenge_id


async def lock_begun(ctx: Ctx, challenge_id: UUID) -> Begun | None:
    """Lock what was begun; None when it was finished already or has expired."""
    return await ctx.db.one(_LOCK_BEGUN, challenge=challenge_id, moment=ctx.now)


async def finish(ctx: Ctx, challenge_id: UUID) -> None:
    """Let a locked challenge be good for nothing more."""
    await ctx.db.run(_USE, challenge=challenge_id, moment=ctx.now)


async def void_challenges(ctx: Ctx, user_id: UUID) -> None:
    """Let nothing that a person has begun be finished."""
    await ctx.db.run(_VOID, person=user_id, moment=ctx.now)


async def forget_challenges(ctx: Ctx, expired_before: datetime) -> int:
    """Remove challenges that expired long ago; answers with how many."""
    return await ctx.db.run(_FORGET, moment=expired_before)


async def put_passkey(
    ctx: Ctx, *, user_id: UUID, credential: str, public_key: str, sign_count: int, name: str
) -> UUID | None:
    """Keep a passkey; None when the credential is known already."""
    made = await ctx.db.one(
        _PUT_PASSKEY,
        id=new_id(),
        user_id=user_id,
        credential=credential,
        public_key=public_key,
        sign_count=sign_count,
        name=name,
        created_at=ctx.now,
    )
    return None if made is None else made.id


async def credentials_of(ctx: Ctx, user_id: UUID) -> list[str]:
    """What a person's passkeys are known by."""
    return [each.credential for each in await ctx.db.all(_OWN_CREDENTIALS, person=user_id)]


async def lock_passkey(ctx: Ctx, credential: str) -> Held | None:
    """Lock a passkey against other uses of it; None when nobody has it."""
    return await ctx.db.one(_LOCK_PASSKEY, credential=credential)


async def use_passkey(ctx: Ctx, passkey_id: UUID, *, count: int) -> None:
    """Note that a locked passkey was used. count: how often it has signed."""
    await ctx.db.run(_USE_PASSKEY, passkey=passkey_id, count=count, moment=ctx.now)


async def rename_passkey(ctx: Ctx, passkey_id: UUID, name: str) -> bool:
    """Call a passkey of the caller something else; False when they have no such passkey."""
    return await ctx.db.run(_RENAME, passkey=passkey_id, person=ctx.user_id, name=name) > 0


async def drop_passkey(ctx: Ctx, passkey_id: UUID) -> bool:
    """Remove a passkey of the caller; False when they have no such passkey."""
    return await ctx.db.run(_DROP, passkey=passkey_id, person=ctx.user_id) > 0

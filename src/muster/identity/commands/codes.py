"""Codes of second factors: each is good once, wrong ones count, and only a right one takes that back."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from muster.identity import rules
from muster.identity.codes import plain_code, totp_step
from muster.identity.facts import BackupCodeUsed, SecondFactorsLocked
from muster.identity.queries import factors as factor_queries
from muster.identity.queries.factors import Factors
from muster.identity.seals import code_hash, lock_away, take_out
from muster.kit.commands.context import Ctx
from muster.kit.errors import Invalid, TooMany

Code = Annotated[
    str,
    Meta(max_length=20, examples=["123456"], description="From the authenticator app: six digits, each good once."),
]


class WrongCode(Invalid):
    """This code is wrong, was used before, or its time is over."""

    code, title = "WRONG_CODE", "The code is wrong"
    commits = True


class CodesRest(TooMany):
    """Too many wrong codes: wait 15 minutes."""

    code, title = "CODES_LOCKED", "Too many wrong codes"


def wrong_code() -> WrongCode:
    """The refusal of a code."""
    return WrongCode.field("code", "is wrong, was used before, or its time is over", "WRONG_CODE")


async def check_code(ctx: Ctx, user_id: UUID, code: str, *, backup: bool = False) -> None:
    """Use up a code of a person's second factor. backup: a backup code will do, too. Raises WrongCode, CodesRest.

    The lock makes tries on one account one at a time, so no more than five wrong ones are ever answered in a row. The
    right password does not take them back, nor does anything else that a client may send, but a right code.
    """
    factors = await factor_queries.lock_factors(ctx, user_id)
    if rules.is_locked(factors.failures, factors.failed_at, ctx.now):
        raise CodesRest
    plain = plain_code(code)
    if await _use_totp(ctx, user_id, factors, plain) or (backup and await _use_backup(ctx, user_id, factors, plain)):
        if factors.failures:
            await factor_queries.put_failures(ctx, user_id, 0)
        return
    failures = rules.count_failure(factors.failures, factors.failed_at, ctx.now)
    await factor_queries.put_failures(ctx, user_id, failures)
    if failures == rules.FAILURES:
        ctx.record(SecondFactorsLocked(user_id=user_id))
    raise wrong_code()


async def _use_totp(ctx: Ctx, user_id: UUID, factors: Factors, code: str) -> bool:
    if factors.totp is None or factors.totp_since is None:
        return False
    security = ctx.settings.security
    secret = take_out(security.secrets, user_id, factors.totp)
    step = None if secret is None else totp_step(secret, code, ctx.now, after=factors.totp_step)
    if secret is None or step is None:
        return False
    # Sealed anew each time, so that it is not lost when the deployment's secret has changed.
    sealed = lock_away(security.jwt_secret, user_id, secret)
    await factor_queries.put_totp(ctx, user_id, totp=sealed, since=factors.totp_since, step=step)
    return True


async def _use_backup(ctx: Ctx, user_id: UUID, factors: Factors, code: str) -> bool:
    hashes = [code_hash(secret, user_id, code) for secret in ctx.settings.security.secrets]
    if not await factor_queries.use_code(ctx, user_id, hashes):
        return False
    ctx.record(BackupCodeUsed(user_id=user_id, left=factors.codes_left - 1))
    return True

"""Second factors: an authenticator app, and the backup codes that stand in for one.

What removes a factor stands in tenancy, since a community may ask that its members keep one.
"""

from uuid import UUID

from muster.identity.codes import new_backup_codes, new_totp_secret, plain_code, totp_step, totp_uri
from muster.identity.commands.codes import Code, wrong_code
from muster.identity.facts import BackupCodesRenewed, SecondFactorAdded, SecondFactorRemoved
from muster.identity.queries import factors as factor_queries
from muster.identity.queries.factors import Factors
from muster.identity.rules import Method
from muster.identity.seals import code_hash, lock_away, take_out
from muster.kit.caller import signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx
from muster.kit.errors import Conflict, NotFound
from muster.kit.limits import AUTH
from muster.kit.qr import qr_code
from muster.kit.views.results import Payload


class TotpOn(Conflict):
    """You have an authenticator app already; remove that first."""

    code = "TOTP_ON"


class TotpNotFound(NotFound):
    """You have no authenticator app, or have not begun to set one up."""

    code = "TOTP_NOT_FOUND"


class NoSecondFactor(Conflict):
    """You have no second factor; set one up first."""

    code = "NO_SECOND_FACTOR"


class TotpEnrolment(Payload):
    """What an authenticator app needs; it counts when `confirmTotp` has had a code of it.

    secret: to type in. uri: the same for apps on this device. qr: the same as an SVG image, for the camera of another.
    """

    secret: str
    uri: str
    qr: str


class BackupCodes(Payload):
    """Ten codes, each of which stands in once for a second factor.

    codes: as people type them. They are shown this once, and those before work no more.
    """

    codes: list[str]


@command("POST /auth/totp", "enrolTotp", allow=signed_in, limit=AUTH, step_up=True)
async def enrol_totp(ctx: Ctx) -> TotpEnrolment:
    """Begin to set up an authenticator app; beginning again forgets the secret before.

    Raises TotpOn.
    """
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if factors.totp_since is not None:
        raise TotpOn
    secret = new_totp_secret()
    sealed = lock_away(ctx.settings.security.jwt_secret, ctx.user_id, secret)
    await factor_queries.put_totp(ctx, ctx.user_id, totp=sealed, since=None, step=0)
    sender = ctx.settings.mail.sender
    uri = totp_uri(secret, account=factors.email, issuer=sender.display_name or sender.domain)
    return TotpEnrolment(secret=secret, uri=uri, qr=qr_code(uri))


@command("POST /auth/totp/confirmation", "confirmTotp", allow=signed_in, limit=AUTH, step_up=True)
async def confirm_totp(ctx: Ctx, *, code: Code) -> BackupCodes:
    """Show that the app is set up: from now on signing in by password asks for a code of it, too.

    Raises TotpNotFound, TotpOn, WrongCode.
    """
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if factors.totp_since is not None:
        raise TotpOn
    if factors.totp is None:
        raise TotpNotFound
    secret = take_out(ctx.settings.security.secrets, ctx.user_id, factors.totp)
    # Wrong codes do not count here: who has begun this was shown the secret.
    step = None if secret is None else totp_step(secret, plain_code(code), ctx.now, after=factors.totp_step)
    if step is None:
        raise wrong_code()
    await factor_queries.put_totp(ctx, ctx.user_id, totp=factors.totp, since=ctx.now, step=step)
    ctx.record(SecondFactorAdded(user_id=ctx.user_id, factor=Method.TOTP))
    return await _fresh_codes(ctx)


@command("POST /auth/backup-codes", "renewBackupCodes", allow=signed_in, limit=AUTH, step_up=True)
async def renew_backup_codes(ctx: Ctx) -> BackupCodes:
    """Get ten fresh backup codes; those before work no more.

    Raises NoSecondFactor.
    """
    factors = await factor_queries.lock_factors(ctx, ctx.user_id)
    if not has_factor(factors):
        raise NoSecondFactor
    ctx.record(BackupCodesRenewed(user_id=ctx.user_id))
    return await _fresh_codes(ctx)


async def _fresh_codes(ctx: Ctx) -> BackupCodes:
    codes, secret = new_backup_codes(), ctx.settings.security.jwt_secret
    await factor_queries.put_codes(
        ctx, ctx.user_id, [code_hash(secret, ctx.user_id, plain_code(each)) for each in codes]
    )
    return BackupCodes(codes=codes)


def has_factor(factors: Factors) -> bool:
    """Whether there is any second factor."""
    return factors.totp_since is not None or factors.passkeys > 0


def is_last(factors: Factors) -> bool:
    """Whether there is one second factor, and no other."""
    return (factors.totp_since is not None) + factors.passkeys == 1


async def drop_totp(ctx: Ctx, factors: Factors) -> None:
    """Take the caller's authenticator app out of use. factors: theirs, locked. Raises TotpNotFound."""
    if factors.totp_since is None:
        raise TotpNotFound
    await factor_queries.put_totp(ctx, ctx.user_id, totp=None, since=None, step=factors.totp_step)
    await forget_factor(ctx, factors, Method.TOTP)


async def drop_factors(ctx: Ctx, user_id: UUID) -> bool:
    """Take every second factor from somebody who has lost them; False when they had none."""
    factors = await factor_queries.lock_factors(ctx, user_id)
    has = {Method.TOTP: factors.totp_since is not None, Method.PASSKEY: factors.passkeys > 0}
    await factor_queries.forget_factors(ctx, user_id)
    for factor in (factor for factor, is_there in has.items() if is_there):
        ctx.record(SecondFactorRemoved(user_id=user_id, factor=factor))
    return any(has.values())


async def forget_factor(ctx: Ctx, factors: Factors, factor: Method) -> None:
    """Say that a factor of the caller is gone; with the last one go the codes that stood in for it."""
    if is_last(factors):
        await factor_queries.drop_codes(ctx, ctx.user_id)
    ctx.record(SecondFactorRemoved(user_id=ctx.user_id, factor=factor))

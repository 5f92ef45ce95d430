"""Signing in and out, and staying signed in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from msgspec import Meta

from muster.identity import queries, rules
from muster.identity.commands.accounts import normal_email
from muster.identity.commands.closing import open_again
from muster.identity.commands.passwords import Attempt, GivenPassword, attempt, count_attempt
from muster.identity.facts import SignedIn, SignedOut, SignedOutEverywhere
from muster.identity.queries import factors as factor_queries
from muster.identity.rules import CHALLENGE_LASTS, Method, Refresh
from muster.identity.seals import LONGEST_TOKEN, challenge_token, read_refresh_token, refresh_token
from muster.identity.tables import ChallengePurpose
from muster.identity.tokens import ACCESS_LIFETIME, TokenKeys
from muster.identity.views import OpenSessionView, UserView
from muster.kit.caller import Claim, signed_in, whoever
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.db.database import Transaction
from muster.kit.errors import AppError, NotFound, Unauthenticated
from muster.kit.limits import API, AUTH
from muster.kit.views.results import Payload
from muster.settings import Security

_SESSION = timedelta(days=7)
_REMEMBERED_SESSION = timedelta(days=30)


class WrongCredentials(AppError):
    """The mail or the password is wrong, or there were too many tries: then the owner has a mail that helps."""

    status, code, title = 401, "WRONG_CREDENTIALS", "Mail or password is wrong"
    commits = True


class MfaRequired(AppError):
    """This account asks for a second factor, too: go on with `completeLogin`, within 5 minutes."""

    status, code, title = 401, "MFA_REQUIRED", "A second factor is needed"
    commits = True


class RefreshTokenInvalid(Unauthenticated):
    """This refresh token is not good any more; sign in again."""

    code, title = "REFRESH_TOKEN_INVALID", "Sign in again"


class RefreshTokenReused(Unauthenticated):
    """This refresh token was used before, perhaps by somebody else, so the session has been ended; sign in again."""

    code, title = "REFRESH_TOKEN_REUSED", "Sign in again"
    commits = True


class SessionNotFound(NotFound):
    """You have no such session."""

    code = "SESSION_NOT_FOUND"


class Session(Payload):
    """A session: the token for requests, when that expires, the one that renews it, and whose it is.

    access_token: goes with each request, as `Authorization: Bearer`. refresh_token: renews the session, once.
    expires_at: when the access token does. With `X-Session: cookie` both tokens are empty, and a cookie stands for them.
    """

    secrets = ("access_token", "refresh_token")

    access_token: str
    refresh_token: str
    expires_at: datetime
    user: UserView


@lru_cache(maxsize=4)
def token_keys(security: Security) -> TokenKeys:
    """The keys of a deployment; kept, since deriving them and forgetting verified tokens costs."""
    return TokenKeys(security.secrets, "access token", ACCESS_LIFETIME, security.issuer)


@lru_cache(maxsize=4)
def cookie_keys(security: Security) -> TokenKeys:
    """The keys of tokens in cookies, as long-lived as the longest session: neither kind passes for the other."""
    return TokenKeys(security.secrets, "session cookie", _REMEMBERED_SESSION, security.issuer)


async def open_session(ctx: Ctx, user_id: UUID, *, remember: bool = False, proved: bool = False) -> Session:
    """Sign a person in on one more device; an account that they had closed is open again.

    proved: they have just shown by something of their own who they are. Raises WrongCredentials when it has ended.
    """
    if not await open_again(ctx, user_id):
        raise WrongCredentials
    lifetime = _REMEMBERED_SESSION if remember else _SESSION
    session_id = await queries.put_session(ctx, user_id=user_id, lifetime=lifetime, proved=proved)
    ctx.record(SignedIn(user_id=user_id, session_id=session_id))
    return _tokens(ctx, user_id, session_id, generation=0)


async def sign_in(ctx: Ctx, user_id: UUID, *, remember: bool = False, proved: bool = False) -> Session:
    """Sign in a person who has shown one thing: their password, or that a mailbox or another account is theirs.

    proved: as in `open_session`. Raises MfaRequired where they have a second factor, with the token to go on with; it
    is good for nothing else.
    """
    life = await queries.life_of(ctx.db, user_id)
    if life is None or life.disabled_at is not None:
        # Before it is asked for a second factor, which would say that the first was right.
        raise WrongCredentials
    has = await factor_queries.standing(ctx, user_id)
    if not has.totp and not has.passkey:
        return await open_session(ctx, user_id, remember=remember, proved=proved)
    ctx.act_as(user_id)
    begun = await factor_queries.begin(ctx, ChallengePurpose.SECOND, user_id=user_id, remember=remember)
    ways = {Method.TOTP: has.totp, Method.PASSKEY: has.passkey, Method.BACKUP_CODE: has.codes}
    details = {
        "mfaToken": challenge_token(ctx.settings.security.jwt_secret, ChallengePurpose.SECOND, begun),
        "methods": [method for method, is_there in ways.items() if is_there],
        "expiresAt": ctx.now + CHALLENGE_LASTS,
    }
    raise MfaRequired(details=details)


def _tokens(ctx: Ctx, user_id: UUID, session_id: UUID, *, generation: int) -> Session:
    """The tokens of a session, for its person."""
    security = ctx.settings.security
    access_token, expires_at = token_keys(security).sign(user_id=user_id, session_id=session_id, now=ctx.now)
    ctx.act_as(user_id)
    return Session(
        access_token=access_token,
        refresh_token=refresh_token(security.jwt_secret, session_id, generation),
        expires_at=expires_at,
        user=UserView.ref(user_id),
    )


async def _check_password(services: Services, claim: Claim, *, email: str, password: str, remember_me: bool) -> Attempt:
    """The hash is read first, then compared with no connection in hand."""
    async with services.database.transaction(claim.tenant_id) as tx:
        account = await queries.credentials(tx, email=normal_email(email))
    return await attempt(account, password)


@command("POST /auth/login", "login", allow=whoever, limit=AUTH, prepare=_check_password)
async def login(
    ctx: Ctx,
    *,
    email: Annotated[str, Meta(max_length=254, examples=["ada@example.org"], description="Of the account.")],
    password: GivenPassword,
    remember_me: bool = False,
    prepared: Attempt,
) -> Session:
    """Sign in with mail and password.

    Five wrong passwords in a row lock the account for 15 minutes. remember_me: the session lasts 30 days, not 7.
    Raises WrongCredentials, the same for an unknown mail, a wrong password and a locked account; MfaRequired, with
    `mfaToken` and the `methods` that will do, where the account has a second factor.
    """
    right = await count_attempt(ctx, prepared)
    if not right or prepared.account is None:
        raise WrongCredentials
    return await sign_in(ctx, prepared.account.id, remember=remember_me, proved=True)


Families: TypeAlias = Mapping[UUID, queries.Family]
"""Sessions by their ids, locked."""


async def _lock_families(tx: Transaction, calls: Sequence[tuple[Ctx, dict[str, Any]]]) -> Families:
    """For sessions that are renewed at the same time."""
    presented = (_presented(ctx, arguments["refresh_token"]) for ctx, arguments in calls)
    return await queries.lock_families(tx, {each[0] for each in presented if each is not None})


def _presented(ctx: Ctx, token: str) -> tuple[UUID, int] | None:
    return read_refresh_token(ctx.settings.security.secrets, token)


@command("POST /auth/refresh", "refreshSession", allow=whoever, limit=API, together=_lock_families)
async def refresh(
    ctx: Ctx,
    *,
    refresh_token: Annotated[str, Meta(max_length=LONGEST_TOKEN, examples=["0193b1f0a4c0.0.kq3v"])],
    shared: Families | None = None,
) -> Session:
    """Renew a session: a fresh access token, and the refresh token to use next time.

    A refresh token is spent once. For 10 seconds it still gives the same successor, so that two tabs do not sign each
    other out; after that it ends the session, since two who hold one token are one too many.
    refresh_token: the one that came last.
    Raises RefreshTokenInvalid, RefreshTokenReused.
    """
    presented = _presented(ctx, refresh_token)
    if presented is None:
        raise RefreshTokenInvalid
    session_id, number = presented
    families = await queries.lock_families(ctx.db, [session_id]) if shared is None else shared
    family = families.get(session_id)
    if family is None or family.revoked_at is not None or family.expires_at <= ctx.now:
        raise RefreshTokenInvalid
    decision = rules.decide_refresh(number, family.generation, family.refreshed_at, ctx.now)
    if decision is Refresh.REPLAY:
        queries.end_family(ctx, family)
        ctx.record(SignedOut(user_id=family.user_id, session_id=session_id))
        raise RefreshTokenReused
    if decision is Refresh.ROTATE:
        queries.rotate(ctx, family)
    return _tokens(ctx, family.user_id, session_id, generation=number + 1)


@command("POST /auth/logout", "logout", allow=signed_in, limit=API, ends_session=True)
async def logout(ctx: Ctx) -> None:
    """Sign out: this session ends at once."""
    if ctx.session_id is None:
        raise Unauthenticated
    await queries.revoke_session(ctx, ctx.session_id, user_id=ctx.user_id)
    ctx.record(SignedOut(user_id=ctx.user_id, session_id=ctx.session_id))


@command("DELETE /auth/sessions", "logoutEverywhere", allow=signed_in, limit=API, in_person=True)
async def logout_everywhere(ctx: Ctx, *, stay_here: bool = False) -> None:
    """Sign out on every device.

    stay_here: on every other device only.
    """
    await queries.revoke_sessions(ctx, ctx.user_id, but=ctx.session_id if stay_here else None)
    ctx.record(SignedOutEverywhere(user_id=ctx.user_id))


@command("DELETE /auth/sessions/{id}", "revokeSession", allow=signed_in, limit=API, in_person=True)
async def revoke_session(ctx: Ctx, *, id: UUID) -> OpenSessionView:
    """Sign out on one device.

    Raises SessionNotFound for a session that is not one's own, or has ended.
    """
    if not await queries.revoke_session(ctx, id, user_id=ctx.user_id):
        raise SessionNotFound
    ctx.record(SignedOut(user_id=ctx.user_id, session_id=id))
    return OpenSessionView.ref(id)

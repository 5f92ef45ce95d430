"""The verbs of identity: open an account, sign in, sign out."""

import hashlib
import secrets
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from muster.identity import queries
from muster.identity.passwords import password_matches
from muster.identity.tokens import TokenKeys
from muster.identity.views import UserView
from muster.kit.caller import Claim, anyone, signed_in
from muster.kit.commands.command import command
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.facts import Fact
from muster.kit.errors import AppError, Conflict, Unauthenticated
from muster.kit.limits import AUTH
from muster.kit.views.results import Payload

Email = Annotated[
    str, Meta(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["ada@example.org"])
]
PersonName = Annotated[str, Meta(min_length=1, max_length=80, pattern=r"\S", examples=["Ada"])]

_SESSION = timedelta(days=7)
_REMEMBERED_SESSION = timedelta(days=30)


class UserRegistered(Fact):
    """A person opened an account."""

    kind: ClassVar[str] = "user.registered"
    about: ClassVar[str] = "user_id"
    user_id: UUID


class SignedIn(Fact):
    """A person signed in on a device."""

    kind: ClassVar[str] = "session.opened"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    session_id: UUID


class SignedOut(Fact):
    """A person ended a session."""

    kind: ClassVar[str] = "session.ended"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    session_id: UUID


class EmailTaken(Conflict):
    """An account with this mail exists; sign in instead."""

    code = "EMAIL_TAKEN"


class WrongCredentials(AppError):
    """The mail or the password is wrong."""

    status, code, title = 401, "WRONG_CREDENTIALS", "Mail or password is wrong"
    audited = True


class Session(Payload):
    """A fresh session: the token for requests, the one that renews it, and whose it is."""

    access_token: str
    refresh_token: str
    expires_at: datetime
    user: UserView


@lru_cache(maxsize=4)
def token_keys(secret: str) -> TokenKeys:
    """The keys of a deployment; kept, since deriving them and forgetting verified tokens costs."""
    return TokenKeys(secret)


def normal_email(email: str) -> str:
    """A mail address as it is stored and compared."""
    return email.strip().lower()


async def open_account(ctx: Ctx, *, name: str, email: str, verified: bool = False) -> UUID:
    """Make an account and go on as that person. Raises EmailTaken."""
    user_id = await queries.put_user(ctx, name=name.strip(), email=normal_email(email), verified=verified)
    if user_id is None:
        raise EmailTaken
    ctx.act_as(user_id)
    ctx.record(UserRegistered(user_id=user_id))
    return user_id


async def open_session(ctx: Ctx, user_id: UUID, *, remember: bool = False) -> Session:
    """Sign a person in on one more device."""
    refresh_token = secrets.token_urlsafe(32)
    session_id = await queries.put_session(
        ctx,
        user_id=user_id,
        refresh_hash=hashlib.sha256(refresh_token.encode()).hexdigest(),
        lifetime=_REMEMBERED_SESSION if remember else _SESSION,
    )
    keys = token_keys(ctx.settings.security.jwt_secret)
    access_token, expires_at = keys.sign(user_id=user_id, session_id=session_id, now=ctx.now)
    ctx.act_as(user_id)
    ctx.record(SignedIn(user_id=user_id, session_id=session_id))
    return Session(
        access_token=access_token, refresh_token=refresh_token, expires_at=expires_at, user=UserView.ref(user_id)
    )


async def _check_password(
    services: Services, claim: Claim, *, email: str, password: str, remember_me: bool
) -> UUID | None:
    """Whose mail and password these are. The hash is read first, then compared with no connection in hand."""
    async with services.database.transaction(claim.tenant_id) as tx:
        found = await queries.credentials(tx, normal_email(email))
    matches = await password_matches(None if found is None else found.hash, password)
    return found.id if found is not None and matches else None


@command("POST /auth/login", "login", allow=anyone, limit=AUTH, prepare=_check_password)
async def login(
    ctx: Ctx,
    *,
    email: Annotated[str, Meta(max_length=254, examples=["ada@example.org"])],
    password: Annotated[str, Meta(max_length=1000, examples=["a long enough one"])],
    remember_me: bool = False,
    prepared: UUID | None,
) -> Session:
    """Sign in with mail and password.

    Raises WrongCredentials, the same for an unknown mail as for a wrong password.
    """
    if prepared is None:
        raise WrongCredentials
    return await open_session(ctx, prepared, remember=remember_me)


@command("POST /auth/logout", "logout", allow=signed_in, limit=AUTH)
async def logout(ctx: Ctx) -> None:
    """Sign out: this session ends at once."""
    if ctx.session_id is None:
        raise Unauthenticated
    await queries.revoke_session(ctx, ctx.session_id)
    ctx.record(SignedOut(user_id=ctx.user_id, session_id=ctx.session_id))

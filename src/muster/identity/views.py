"""What can be read of people and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from muster.identity.tables import BackupCode, Passkey, SecondFactor, Session, User
from muster.kit.caller import signed_in
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, only_if, sql


def is_self(user: type[User], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own account."""
    return user.id == viewer.user_id


class UserView(View, of=User):
    """A person. Id and name are readable wherever something they did is; the rest is their own.

    name: as they want to be called; several people may have one name. email: null for everybody else.
    verified_at: when they showed that the mail is theirs; until then they may do little. Null for everybody else.
    locale: the language that they read; null when they have not said, and for everybody else.
    timezone: where their clock is; null when they have not said, and for everybody else.
    created_at: when they opened the account; null for everybody else.
    terms_accepted_at: when they accepted the terms; null where there are none, and for everybody else.
    """

    brief = ("id", "name")
    example = {"name": "Ada", "email": "ada@example.org", "locale": "pl", "timezone": "Europe/Warsaw"}

    id: UUID
    name: str
    email: str | None = only_if(is_self)
    verified_at: datetime | None = only_if(is_self)
    locale: str | None = only_if(is_self)
    timezone: str | None = only_if(is_self)
    created_at: datetime | None = only_if(is_self)
    terms_accepted_at: datetime | None = only_if(is_self)


@query("GET /me", "me", allow=signed_in, where=is_self)
def me() -> UserView | None:
    """The person who asks."""


def is_own_and_open(session: type[Session], viewer: Viewer) -> ColumnElement[bool]:
    """A session of the viewer that has neither ended nor expired."""
    return and_(session.user_id == viewer.user_id, session.revoked_at.is_(None), session.expires_at > viewer.now)


class OpenSessionView(View, of=Session):
    """A device that the viewer is signed in on.

    created_at: when it signed in. refreshed_at: when it was last seen, to within the life of an access token.
    expires_at: when it has to sign in again. address: where it signed in from; null where that is not known.
    agent: what it said it was when it signed in; null when nothing.
    """

    visible = is_own_and_open
    orders = {"NEWEST": descending(Session.created_at)}

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None


@query("GET /auth/sessions", "mySessions", allow=signed_in)
def my_sessions() -> Page[OpenSessionView]:
    """The devices that the caller is signed in on, the newest first."""


def is_own_passkey(passkey: type[Passkey], viewer: Viewer) -> ColumnElement[bool]:
    """A passkey of the viewer."""
    return passkey.user_id == viewer.user_id


class PasskeyView(View, of=Passkey):
    """A passkey of the viewer.

    name: their own of it. created_at: when it was added. used_at: when it was last used; null before the first time.
    """

    visible = is_own_passkey
    orders = {"NEWEST": descending(Passkey.created_at)}
    example = {"name": "My phone"}

    id: UUID
    name: str
    created_at: datetime
    used_at: datetime | None


@query("GET /auth/passkeys", "myPasskeys", allow=signed_in)
def my_passkeys() -> Page[PasskeyView]:
    """The passkeys of the caller, the newest first."""


@query("GET /auth/passkeys/{id}", "myPasskey", allow=signed_in)
def my_passkey(id: UUID) -> PasskeyView | None:
    """One passkey of the caller."""


def is_own_factor(factor: type[SecondFactor], viewer: Viewer) -> ColumnElement[bool]:
    """The second factors of the viewer."""
    return factor.id == viewer.user_id


def _codes_left(factor: type[SecondFactor], viewer: Viewer) -> ColumnElement[int]:
    unused = select(func.count()).where(BackupCode.user_id == factor.id, BackupCode.used_at.is_(None))
    return unused.scalar_subquery()


class SecondFactorView(View, of=SecondFactor):
    """What the viewer has beside a password and passkeys.

    totp_since: when they set up an authenticator app; null without one. backup_codes_left: how many of the ten codes
    that stand in for it have not been used.
    """

    visible = is_own_factor

    id: UUID
    totp_since: datetime | None
    backup_codes_left: int = sql(_codes_left)


@query("GET /auth/mfa", "mySecondFactor", allow=signed_in, where=is_own_factor)
def my_second_factor() -> SecondFactorView | None:
    """The authenticator app and backup codes of the caller; nothing while they have never begun to set one up."""

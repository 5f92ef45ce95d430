"""What can be read of people and their sessions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from muster.identity.tables import Session, User
from muster.kit.caller import signed_in
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, only_if


def is_self(user: type[User], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own account."""
    return user.id == viewer.user_id


class UserView(View, of=User):
    """A person. Id and name are readable wherever something they did is; the rest is their own.

    name: as they want to be called; several people may have one name. email: null for everybody else.
    verified_at: when they showed that the mail is theirs; until then they may do little. Null for everybody else.
    """

    brief = ("id", "name")
    example = {"name": "Ada", "email": "ada@example.org"}

    id: UUID
    name: str
    email: str | None = only_if(is_self)
    verified_at: datetime | None = only_if(is_self)


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

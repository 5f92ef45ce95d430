"""What can be read of people."""

from uuid import UUID

from sqlalchemy import ColumnElement

from muster.identity.tables import User
from muster.kit.caller import signed_in
from muster.kit.views.query import query
from muster.kit.views.view import View, Viewer, only_if


def is_self(user: type[User], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own account."""
    return user.id == viewer.user_id


class UserView(View, of=User):
    """A person. Id and name are readable wherever something they did is; the rest is their own."""

    brief = ("id", "name")
    example = {"name": "Ada", "email": "ada@example.org"}

    id: UUID
    name: str
    email: str | None = only_if(is_self)


@query("GET /me", "me", allow=signed_in, where=is_self)
def me() -> UserView | None:
    """The person who asks."""

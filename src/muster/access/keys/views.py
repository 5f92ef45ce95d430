"""What can be read of keys; never their secrets."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from muster.access.keys.tables import ApiKey
from muster.access.roles import KEY_CREATE, KEY_MANAGE
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.views.paging import descending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one


def is_not_revoked(key: type[ApiKey], _viewer: Viewer) -> ColumnElement[bool]:
    """What is revoked is seen in the audit log alone."""
    return key.revoked_at.is_(None)


def is_own(key: type[ApiKey], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer's own."""
    return key.user_id == viewer.user_id


class ApiKeyView(View, of=ApiKey):
    """An API key.

    name: what its holder calls it. hint: how its secret ends. scopes: what it may do of what its holder may. networks:
    where it may be used from; empty is anywhere. created_at: when it was made. expires_at: when it ends; null is
    never. last_used_at: to within five minutes; null is never. user: who holds it.
    """

    visible = is_not_revoked
    filters = {"userId": equals(ApiKey.user_id)}
    orders = {"NEWEST": descending(ApiKey.created_at)}
    example = {"name": "Calendar of the club", "hint": "x7Qa", "scopes": ["event:create"], "networks": ["192.0.2.0/24"]}

    id: UUID
    name: str
    hint: str
    scopes: list[str]
    networks: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    user: UserView | None = one("user_id")


@query("GET /me/keys", "myApiKeys", allow=member, permission=KEY_CREATE, where=is_own)
def my_api_keys() -> Page[ApiKeyView]:
    """The caller's own API keys in this community, the newest first."""


@query("GET /keys", "apiKeys", allow=member, permission=KEY_MANAGE)
def api_keys() -> Page[ApiKeyView]:
    """Everybody's API keys in this community, the newest first."""


@query("GET /keys/{id}", "apiKey", allow=member, permission=KEY_CREATE, where=is_own)
def api_key(id: UUID) -> ApiKeyView | None:
    """One API key of the caller's own."""

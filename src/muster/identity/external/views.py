"""What a person can read of their identities elsewhere."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement

from muster.identity.external.tables import ExternalIdentity
from muster.kit.caller import signed_in
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer


def is_own(identity: type[ExternalIdentity], viewer: Viewer) -> ColumnElement[bool]:
    """An identity of the viewer."""
    return identity.user_id == viewer.user_id


class ExternalIdentityView(View, of=ExternalIdentity):
    """A provider that the viewer can sign in with.

    provider: its name. email: as the provider knows it. created_at: when it was linked to the account.
    used_at: when the viewer last signed in with it.
    """

    visible = is_own
    orders = {"NEWEST": descending(ExternalIdentity.created_at)}

    id: UUID
    provider: str
    email: str
    created_at: datetime
    used_at: datetime


@query("GET /auth/identities", "myIdentities", allow=signed_in)
def my_identities() -> Page[ExternalIdentityView]:
    """The providers that the caller can sign in with, the newest first."""


@query("GET /auth/identities/{id}", "myIdentity", allow=signed_in)
def my_identity(id: UUID) -> ExternalIdentityView | None:
    """One of the providers that the caller can sign in with."""

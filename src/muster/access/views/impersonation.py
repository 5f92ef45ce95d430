"""Who of the platform's staff acted as oneself, when and why."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_

from muster.access.tables import Impersonation
from muster.identity.views import UserView
from muster.kit.caller import signed_in
from muster.kit.views.paging import descending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one


def is_party(impersonation: type[Impersonation], viewer: Viewer) -> ColumnElement[bool]:
    """Seen by who was acted as, and by who did it."""
    return or_(impersonation.user_id == viewer.user_id, impersonation.staff_id == viewer.user_id)


def is_of_viewer(impersonation: type[Impersonation], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is who was acted as."""
    return impersonation.user_id == viewer.user_id


class ImpersonationView(View, of=Impersonation):
    """A time in which somebody of the platform's staff acts as a person, in one community.

    community_id: where. why: in their words. ticket: what led to it. started_at: since when. expires_at: when it is over
    at the latest. ended_at: when it was ended before; null when it was not. staff: who acts. user: as whom.
    """

    visible = is_party
    orders = {"NEWEST": descending(Impersonation.started_at)}
    example = {"why": "They cannot see an event that they were invited to", "ticket": "SUP-1042"}

    id: UUID
    community_id: UUID
    why: str
    ticket: str
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    staff: UserView = one("staff_id")
    user: UserView = one("user_id")


@query("GET /me/impersonations", "myImpersonations", allow=signed_in, where=is_of_viewer)
def my_impersonations() -> Page[ImpersonationView]:
    """When somebody of the platform's staff acted as the caller, and why; the newest first."""

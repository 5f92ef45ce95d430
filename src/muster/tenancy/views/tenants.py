"""What can be read of communities."""

from uuid import UUID

from sqlalchemy import ColumnElement, func, or_

from muster.kit.caller import anyone
from muster.kit.views.query import query
from muster.kit.views.view import View, Viewer
from muster.tenancy.tables import Tenant


def is_open_to(tenant: type[Tenant], viewer: Viewer) -> ColumnElement[bool]:
    """The community that the request is in, and every other that the viewer is an active member of."""
    return or_(tenant.id == viewer.tenant_id, func.finders.belongs(tenant.id, viewer.user_id))


class TenantView(View, of=Tenant):
    """A community.

    slug: its name in addresses and in the header `X-Tenant`; it never changes. name: as people read it.
    """

    visible = is_open_to
    example = {"slug": "chess-club", "name": "Chess club"}

    id: UUID
    slug: str
    name: str


@query("GET /tenants/{id}", "tenant", allow=anyone, stale=True)
def tenant(id: UUID) -> TenantView | None:
    """A community that the caller has entered or belongs to."""

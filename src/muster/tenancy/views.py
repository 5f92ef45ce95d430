"""What can be read of communities."""

from uuid import UUID

from sqlalchemy import ColumnElement

from muster.kit.views.view import View, Viewer
from muster.tenancy.tables import Tenant


def is_entered(tenant: type[Tenant], viewer: Viewer) -> ColumnElement[bool]:
    """The community that the request is in."""
    return tenant.id == viewer.tenant_id


class TenantView(View, of=Tenant):
    """A community. Its slug is its name in addresses and in the header `X-Tenant`."""

    visible = is_entered
    example = {"slug": "chess-club", "name": "Chess club"}

    id: UUID
    slug: str
    name: str

"""What can be read of communities."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Uuid, and_, column, func, or_, select

from muster.kit.caller import TenantStatus, anyone, signed_in
from muster.kit.db.tables import Json
from muster.kit.views.paging import ascending, equals
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, sql
from muster.tenancy.tables import JoinPolicy, Tenant, TenantKind


def is_listed(tenant: type[Tenant], _viewer: Viewer) -> ColumnElement[bool]:
    """Those that anybody may find."""
    return and_(tenant.is_listed, tenant.status == TenantStatus.ACTIVE)


def is_open_to(tenant: type[Tenant], viewer: Viewer) -> ColumnElement[bool]:
    """The community that the request is in, every other that the viewer is an active member of, and what is listed."""
    return or_(
        tenant.id == viewer.tenant_id,
        is_listed(tenant, viewer),
        func.finders.belongs(tenant.id, viewer.user_id),
    )


def own_role(tenant: type[Tenant], viewer: Viewer) -> ColumnElement[str | None]:
    """The viewer's role in a community."""
    return func.finders.role_in(tenant.id, viewer.user_id)


def is_own(tenant: type[Tenant], viewer: Viewer) -> ColumnElement[bool]:
    """The viewer is an active member."""
    own = func.finders.communities_of(viewer.user_id).table_valued(column("community", Uuid()))
    return tenant.id.in_(select(own.c.community))


class TenantView(View, of=Tenant):
    """A community.

    slug: its name in addresses and in the header `X-Tenant`; it never changes. name: as people read it.
    locale: the language of its letters and pages. timezone: the IANA name. country: its code in ISO 3166.
    is_listed: anybody may find it. join_policy: how people get in. keeps_content: what
    people made stays when they delete their account, under nobody's name. limits_events: whether the plan of an event limits
    what it may have.
    status: whether it is open. status_reason: why it is not. deletes_at: when it is gone for good; null unless it is
    about to be deleted. logo_url: of an image, over https. primary_colour: `#rrggbb`; null is the house's.
    accent_colour: the same. terms: what it calls things, by term: an object with the words for `one` and for `many`.
    version: counts its changes; give it to `updateTenant`, so that it overwrites nobody else's.
    own_role: the viewer's role there; null for who is no active member.
    """

    visible = is_open_to
    brief = ("id", "slug", "name")
    filters = {"kind": equals(Tenant.kind), "country": equals(Tenant.country)}
    orders = {"FOUNDED": ascending(Tenant.created_at), "NAME": ascending(Tenant.name)}
    example = {
        "slug": "chess-club",
        "name": "Chess club",
        "locale": "pl",
        "timezone": "Europe/Warsaw",
        "country": "PL",
        "statusReason": None,
        "deletesAt": None,
        "logoUrl": "https://chess.example/logo.png",
        "primaryColour": "#2f6f62",
        "accentColour": "#b8860b",
        "terms": {"EVENT": {"one": "Match", "many": "Matches"}},
        "ownRole": "participant",
    }

    id: UUID
    slug: str
    name: str
    kind: TenantKind
    locale: str
    timezone: str
    country: str | None
    is_listed: bool
    join_policy: JoinPolicy
    keeps_content: bool
    limits_events: bool
    status: TenantStatus
    status_reason: str | None
    deletes_at: datetime | None
    logo_url: str | None
    primary_colour: str | None
    accent_colour: str | None
    terms: Json
    version: int
    own_role: str | None = sql(own_role)


@query("GET /tenants/{id}", "tenant", allow=anyone, stale=True)
def tenant(id: UUID) -> TenantView | None:
    """A community that the caller has entered or belongs to, or that is listed."""


@query("GET /tenants", "tenants", allow=anyone, stale=True, where=is_listed)
def tenants() -> Page[TenantView]:
    """The communities that anybody may find."""


def _is_entered(tenant: type[Tenant], viewer: Viewer) -> ColumnElement[bool]:
    return tenant.id == viewer.tenant_id


@query("GET /tenant", "currentTenant", allow=anyone, stale=True, where=_is_entered)
def current_tenant() -> TenantView | None:
    """The community that the request is in."""


@query("GET /me/tenants", "myTenants", allow=signed_in, where=is_own)
def my_tenants() -> Page[TenantView]:
    """The communities that the caller may enter; the header `X-Tenant` names the one that a request is for."""

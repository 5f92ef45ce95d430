"""What can be read of a community's domains."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, literal

from muster.kit.caller import Permission, member
from muster.kit.views.paging import ascending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, sql
from muster.tenancy.rules import CHALLENGE
from muster.tenancy.tables import Domain


def record_name(domain: type[Domain], _viewer: Viewer) -> ColumnElement[str]:
    """Where the record has to stand."""
    return literal(CHALLENGE) + domain.name


class DomainView(View, of=Domain):
    """A domain that the community says is its own.

    name: in ASCII. record_name: of the TXT record that proves it. token: what that has to hold. added_at: when it was
    named. proven_at: since when it leads here; null while it does not. checked_at: when it was last looked at.
    failing_since: since when the record is missing; after seven days the domain is lost.
    """

    orders = {"ADDED": ascending(Domain.added_at)}
    example = {
        "name": "chess.example",
        "recordName": "_muster-challenge.chess.example",
        "token": "3k2jv0x5Qm9Zr7uT1wYbNc8sLd4fGh6A",
        "failingSince": None,
    }

    id: UUID
    name: str
    record_name: str = sql(record_name)
    token: str
    added_at: datetime
    proven_at: datetime | None
    checked_at: datetime | None
    failing_since: datetime | None


@query("GET /tenant/domains", "domains", allow=member, permission=Permission("tenant:domain"))
def domains() -> Page[DomainView]:
    """The domains that the community names."""

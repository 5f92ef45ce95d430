"""What can be read of service accounts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_

from muster.access.roles import KEY_MANAGE
from muster.identity.views import UserView
from muster.kit.caller import member
from muster.kit.views.paging import ascending
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one
from muster.tenancy.tables import Member, MemberStatus


def is_service(member: type[Member], _viewer: Viewer) -> ColumnElement[bool]:
    """A program of the community that is not removed."""
    return and_(member.is_service, member.status.in_((MemberStatus.ACTIVE, MemberStatus.SUSPENDED)))


class ServiceAccountView(View, of=Member):
    """A program of this community: a membership whose account nobody signs in to.

    user: the account, which stands beside what it does. role: what it may do at most. joined_at: when it was made.
    """

    visible = is_service
    orders = {"OLDEST": ascending(Member.joined_at)}
    example = {"role": "participant"}

    id: UUID
    user: UserView = one("user_id")
    role: str
    status: MemberStatus
    joined_at: datetime


@query("GET /service-accounts", "serviceAccounts", allow=member, permission=KEY_MANAGE)
def service_accounts() -> Page[ServiceAccountView]:
    """The service accounts of this community, the first made first; `GET /keys` lists their keys."""


@query("GET /service-accounts/{id}", "serviceAccount", allow=member, permission=KEY_MANAGE)
def service_account(id: UUID) -> ServiceAccountView | None:
    """One service account of this community, by the id of its membership."""

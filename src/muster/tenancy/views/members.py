"""What can be read of who belongs to a community."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_

from muster.identity.views import UserView
from muster.kit.caller import Permission, member
from muster.kit.views.paging import ascending, best_match, equals, finder
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer, one
from muster.tenancy.tables import Member, MemberStatus


def is_active(member: type[Member], _viewer: Viewer) -> ColumnElement[bool]:
    """Who may use their membership; programs are listed by themselves."""
    return and_(member.status == MemberStatus.ACTIVE, not_(member.is_service))


def is_inactive(member: type[Member], _viewer: Viewer) -> ColumnElement[bool]:
    """Who may not: suspended, removed, or gone."""
    return and_(member.status != MemberStatus.ACTIVE, not_(member.is_service))


class MemberView(View, of=Member):
    """A person's membership of this community.

    role: its name. joined_at: when they last came. note: why they were suspended or removed, or what they said when they
    left; null for who is an active member, and where nobody said.
    """

    filters = {
        "role": equals(Member.role),
        "status": equals(Member.status),
        "text": finder("finders.members_by_text"),
    }
    orders = {"JOINED": ascending(Member.joined_at), "RELEVANCE": best_match("text")}
    example = {"role": "participant", "note": None}

    id: UUID
    user: UserView = one("user_id")
    role: str
    status: MemberStatus
    joined_at: datetime
    note: str | None


@query("GET /members", "tenantMembers", allow=member, where=is_active)
def tenant_members() -> Page[MemberView]:
    """The members of this community, the first to join first; the filter `text` looks for words of their names."""


@query("GET /members/{user_id}", "tenantMember", allow=member, where=is_active)
def tenant_member(user_id: UUID) -> MemberView | None:
    """One person's membership of this community."""


@query(
    "GET /inactive-members",
    "inactiveMembers",
    allow=member,
    where=is_inactive,
    permission=Permission("member:remove"),
)
def inactive_members() -> Page[MemberView]:
    """Who is suspended, was removed, or left."""

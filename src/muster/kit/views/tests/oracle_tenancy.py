"""The part of the oracle that knows communities and who belongs to them."""

from functools import cached_property
from uuid import UUID

from muster.kit.caller import Claim
from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_world import Row

FOR_NOBODY = {
    "inactiveMembers": "Member",
    "invitation": "Invitation",
    "invitations": "Invitation",
    "invitationUses": "InvitationUse",
    "joinRequests": "JoinRequest",
}
"""What nobody of the oracle's world may ask for, by what they would get."""


class TenancyOracle:
    """Answers for one viewer, from plain rows."""

    def __init__(self, tables: dict[str, list[Row]], claim: Claim) -> None:
        self._tables, self._tenant, self._me = tables, claim.tenant_id, claim.user_id

    @cached_property
    def _own(self) -> dict[UUID, Row]:
        """The viewer's active memberships by community."""
        mine = [row for row in self._tables["members"] if self._me and row["user_id"] == self._me]
        return {row["tenant_id"]: row for row in mine if row["status"] == "ACTIVE"}

    @cached_property
    def _members(self) -> list[Row]:
        """The active members of the community that the request is in."""
        here = [row for row in self._tables["members"] if row["tenant_id"] == self._tenant]
        return [row for row in here if row["status"] == "ACTIVE"]

    @cached_property
    def _listed(self) -> list[Row]:
        """The communities that anybody may find."""
        return [row for row in self._tables["tenants"] if row["is_listed"] and row["status"] == "ACTIVE"]

    @property
    def role(self) -> str | None:
        """The viewer's role in the community that the request is in."""
        return self._own[self._tenant]["role"] if self._tenant in self._own else None

    def own_role(self, tenant: Row) -> str | None:
        """The viewer's role in a community."""
        return self._own[tenant["id"]]["role"] if tenant["id"] in self._own else None

    def tenant(self, tenant_id: UUID) -> Row | None:
        """A community that the viewer is in: in this request, or as an active member; or that is listed."""
        open_ = {self._tenant, *self._own, *(row["id"] for row in self._listed)}
        rows = (row for row in self._tables["tenants"] if row["id"] == tenant_id and tenant_id in open_)
        return next(rows, None)

    def member(self, user_id: UUID) -> Row | None:
        """One person's active membership of the community that the request is in."""
        return next((row for row in self._members if row["user_id"] == user_id), None)

    def list(self, name: str) -> List | None:
        """A root list of this part; None for one of another."""
        if name == "tenantMembers":
            return List("Member", name, self._members)
        if name in FOR_NOBODY:
            return List(FOR_NOBODY[name], name, [])
        if name == "tenants":
            return List("Tenant", name, self._listed)
        if name == "myTenants":
            return List("Tenant", name, [row for row in self._tables["tenants"] if row["id"] in self._own])
        return None

"""The part of the oracle that knows communities and who belongs to them."""

from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import UUID

from muster.kit.caller import Claim
from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_world import Row
from muster.tenancy.rules import CHALLENGE

_DOORS = {
    "domains": ("Domain", "domains"),
    "invitations": ("Invitation", "invitations"),
    "joinRequests": ("JoinRequest", "join_requests"),
}
"""Lists of the community's doors, for who may open them: the types that they show, and the tables."""
TENANCY_ROWS = ("invitation", "ownershipOffer", "tenantMember")
"""Queries for one row."""


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
        return [row for row in self._here("members") if row["status"] == "ACTIVE"]

    def _here(self, table: str) -> list[Row]:
        """The rows of the community that the request is in."""
        return [row for row in self._tables[table] if row["tenant_id"] == self._tenant]

    @cached_property
    def _listed(self) -> list[Row]:
        """The communities that anybody may find."""
        return [row for row in self._tables["tenants"] if row["is_listed"] and row["status"] == "ACTIVE"]

    @property
    def role(self) -> str | None:
        """The viewer's role in the community that the request is in."""
        return self._own[self._tenant]["role"] if self._tenant in self._own else None

    def fields(self, users: dict[UUID, Row], teams: dict[UUID, Row]) -> dict[str, Callable[[Row], Any]]:
        """What is no column, by type and field. teams: that the viewer sees."""
        return {
            "Domain.recordName": lambda domain: CHALLENGE + domain["name"],
            "Invitation.madeBy": lambda invitation: users[invitation["made_by"]],
            "Invitation.team": lambda invitation: teams.get(invitation["team_id"]),
            "Invitation.user": lambda invitation: users.get(invitation["user_id"]),
            "Tenant.ownRole": self._own_role,
        }

    def _own_role(self, tenant: Row) -> str | None:
        return self._own[tenant["id"]]["role"] if tenant["id"] in self._own else None

    def tenant(self, tenant_id: UUID) -> Row | None:
        """A community that the viewer is in: in this request, or as an active member; or that is listed."""
        open_ = {self._tenant, *self._own, *(row["id"] for row in self._listed)}
        rows = (row for row in self._tables["tenants"] if row["id"] == tenant_id and tenant_id in open_)
        return next(rows, None)

    def row(self, name: str, given: dict[str, Any]) -> Row | None:
        """The row that a query for one gives."""
        if name == "tenantMember":
            return next((row for row in self._members if str(row["user_id"]) == given["userId"]), None)
        if name == "invitation":
            return next((row for row in self._here("invitations") if str(row["id"]) == given["id"]), None)
        return next((row for row in self._here("ownership_offers") if row["user_id"] == self._me), None)

    def list(self, name: str, given: dict[str, Any]) -> List | None:
        """A root list of this part; None for one of another."""
        if name in ("tenantMembers", "inactiveMembers"):
            others = [row for row in self._here("members") if row["status"] != "ACTIVE"]
            return List("Member", name, self._members if name == "tenantMembers" else others)
        if name in _DOORS:
            kind, table = _DOORS[name]
            return List(kind, name, self._here(table))
        if name == "invitationUses":
            invitation = UUID(given["invitationId"])
            uses = [row for row in self._here("invitation_uses") if row["invitation_id"] == invitation]
            return List("InvitationUse", name, uses, {"invitation_id": invitation})
        if name == "tenants":
            return List("Tenant", name, self._listed)
        if name == "myTenants":
            return List("Tenant", name, [row for row in self._tables["tenants"] if row["id"] in self._own])
        return None

"""The part of the oracle that knows permissions and roles: those that are code, and those that a community made."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from muster.access.roles import GRANTABLE, PERMISSIONS, ROLES, STAFF, effective
from muster.access.views.roles import id_of
from muster.kit.caller import Permission
from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_world import Row

_PERMISSIONS: list[Row] = [
    {"id": id_of(name), "name": name, "meaning": meaning, "is_grantable": name in GRANTABLE}
    for name, meaning in PERMISSIONS.items()
]
_ROLES: list[Row] = [
    {
        "id": id_of(slug),
        "slug": slug,
        "name": slug.replace("_", " ").capitalize(),
        "colour": None,
        "base": None,
        "additions": [],
        "removals": [],
        "permissions": sorted(gives),
        "is_built_in": True,
    }
    for slug, gives in ROLES.items()
    if slug != STAFF
]
_NOBODY_HAS = {
    "myImpersonations": "Impersonation",
    "myApiKeys": "ApiKey",
    "apiKeys": "ApiKey",
    "serviceAccounts": "ServiceAccount",
    "myCalendars": "CalendarFeed",
    "myReminders": "ReminderChoice",
}


def _roles(own: Iterable[Row]) -> list[Row]:
    """The roles of a community. own: those that it made."""
    given = [(row, effective(row["base"], row["additions"], row["removals"])) for row in own]
    return [*_ROLES, *({**row, "permissions": sorted(gives), "is_built_in": False} for row, gives in given)]


def gives(role: str | None, own: Iterable[Row]) -> frozenset[Permission]:
    """What a role allows in a community. own: the roles that it made."""
    found = next((row["permissions"] for row in _roles(own) if row["slug"] == role), ())
    return frozenset(found)


def access_list(name: str, own: Iterable[Row]) -> List | None:
    """A root list of this part; None for one of another. own: the roles that the community made."""
    if name == "permissions":
        return List("Permission", name, _PERMISSIONS)
    if name == "roles":
        return List("Role", name, _roles(own))
    return List(_NOBODY_HAS[name], name, []) if name in _NOBODY_HAS else None


def nobody(_id: UUID) -> None:
    """An API key or a service account: nobody has one here."""


def role(given: dict[str, Any], own: Iterable[Row]) -> Row | None:
    """One role."""
    return next((row for row in _roles(own) if row["slug"] == given["slug"]), None)

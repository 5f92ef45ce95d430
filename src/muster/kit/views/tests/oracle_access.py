"""The part of the oracle that knows permissions and roles, which are code here: no community has roles of its own."""

from typing import Any
from uuid import UUID

from muster.access.roles import GRANTABLE, PERMISSIONS, ROLES, STAFF
from muster.access.views.roles import id_of
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


def access_list(name: str) -> List | None:
    """A root list of this part; None for one of another."""
    if name == "permissions":
        return List("Permission", name, _PERMISSIONS)
    if name == "roles":
        return List("Role", name, _ROLES)
    return List(_NOBODY_HAS[name], name, []) if name in _NOBODY_HAS else None


def nobody(_id: UUID) -> None:
    """An API key or a service account: nobody has one here."""


def role(given: dict[str, Any]) -> Row | None:
    """One role."""
    return next((row for row in _ROLES if row["slug"] == given["slug"]), None)

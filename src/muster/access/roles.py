"""Permissions and the built-in roles that bundle them."""

from muster.kit.caller import Permission

EVENT_CREATE = Permission("event:create")
EVENT_MODERATE = Permission("event:moderate")

PERMISSIONS: dict[Permission, str] = {
    EVENT_CREATE: "make events",
    EVENT_MODERATE: "publish and moderate events of others",
}
"""Every permission there is, and what it allows."""

_ALL = frozenset(PERMISSIONS)
_TAKES_PART = frozenset({EVENT_CREATE})

ROLES: dict[str, frozenset[Permission]] = {
    "owner": _ALL,
    "admin": _ALL,
    "moderator": _ALL,
    "question_manager": _TAKES_PART,
    "account_officer": _TAKES_PART,
    "inspector": frozenset(),
    "participant": _TAKES_PART,
    "practice_user": frozenset(),
    "spectator": frozenset(),
}
"""The built-in roles of a community."""


def permissions_of(role: str | None) -> frozenset[Permission]:
    """What a role may do; nothing for a visitor and for a role this release does not know."""
    return frozenset() if role is None else ROLES.get(role, frozenset())

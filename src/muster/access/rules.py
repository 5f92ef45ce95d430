"""What decides whether a member may do something, before any object is asked."""

from collections.abc import Collection
from enum import StrEnum

from muster.access.roles import ROLES, effective
from muster.kit.caller import Permission


class Ground(StrEnum):
    """Which grant, or which absence, decided."""

    NOT_A_MEMBER = "NOT_A_MEMBER"
    MEMBER_SUSPENDED = "MEMBER_SUSPENDED"
    EMAIL_NOT_VERIFIED = "EMAIL_NOT_VERIFIED"
    ROLE_GIVES = "ROLE_GIVES"
    ROLE_LACKS = "ROLE_LACKS"
    BASE_GIVES = "BASE_GIVES"
    ROLE_ADDS = "ROLE_ADDS"
    ROLE_REMOVES = "ROLE_REMOVES"
    OBJECT_ALLOWS = "OBJECT_ALLOWS"
    OBJECT_REFUSES = "OBJECT_REFUSES"


GRANTS = frozenset({Ground.ROLE_GIVES, Ground.BASE_GIVES, Ground.ROLE_ADDS, Ground.OBJECT_ALLOWS})
"""The grounds on which something is allowed."""


def ground_of_role(
    permission: Permission,
    role: str,
    base: str | None = None,
    additions: Collection[str] = (),
    removals: Collection[str] = (),
) -> Ground:
    """Whether a role gives a permission, and by what. base: of a community's own role; None is a built-in one."""
    if base is None:
        return Ground.ROLE_GIVES if permission in ROLES.get(role, ()) else Ground.ROLE_LACKS
    if permission not in effective(base, additions, removals):
        taken = permission in effective(base, additions, ())
        return Ground.ROLE_REMOVES if taken else Ground.ROLE_LACKS
    return Ground.BASE_GIVES if permission in ROLES.get(base, ()) else Ground.ROLE_ADDS

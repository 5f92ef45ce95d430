"""SQL that access needs: the roles that communities made, the platform's staff, and whom they act as."""

from muster.access.queries.impersonation import (
    Ended,
    Told,
    belongs,
    end_impersonation,
    end_overdue,
    find_impersonation,
    put_impersonation,
    put_staff,
    remove_staff,
)
from muster.access.queries.roles import (
    RoleParts,
    count_holders,
    delete_role,
    lock_role,
    put_parts,
    put_role,
    role_gives,
)
from muster.access.queries.standing import MemberStanding, find_standing

__all__ = [
    "Ended",
    "MemberStanding",
    "RoleParts",
    "Told",
    "belongs",
    "count_holders",
    "delete_role",
    "end_impersonation",
    "end_overdue",
    "find_impersonation",
    "find_standing",
    "lock_role",
    "put_impersonation",
    "put_parts",
    "put_role",
    "put_staff",
    "remove_staff",
    "role_gives",
]

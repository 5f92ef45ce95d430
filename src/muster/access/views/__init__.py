"""What can be read of access: permissions, roles, and who acted as oneself."""

from muster.access.views.impersonation import ImpersonationView, my_impersonations
from muster.access.views.roles import PermissionView, RoleView, permissions, role, roles

__all__ = [
    "ImpersonationView",
    "PermissionView",
    "RoleView",
    "my_impersonations",
    "permissions",
    "role",
    "roles",
]

"""The verbs of access: roles that communities make, and acting as somebody to help them."""

from muster.access.commands.explaining import explain
from muster.access.commands.impersonation import end_impersonation, impersonate
from muster.access.commands.roles import create_role, delete_role, update_role

__all__ = ["create_role", "delete_role", "end_impersonation", "explain", "impersonate", "update_role"]

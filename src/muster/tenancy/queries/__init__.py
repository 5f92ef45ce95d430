"""SQL that tenancy's commands and its callers need: communities, and who belongs to them."""

from muster.tenancy.queries.members import (
    MemberLine,
    find_member,
    find_owner,
    find_role,
    list_members,
    put_member,
)
from muster.tenancy.queries.tenants import (
    EVERY_TENANT,
    EditableTenant,
    Look,
    TenantLine,
    default_tenant,
    find_default_tenant,
    find_look,
    find_tenant,
    list_tenants,
    lock_editable,
    put_edited,
    put_tenant,
)

__all__ = [
    "EVERY_TENANT",
    "EditableTenant",
    "Look",
    "MemberLine",
    "TenantLine",
    "default_tenant",
    "find_default_tenant",
    "find_look",
    "find_member",
    "find_owner",
    "find_role",
    "find_tenant",
    "list_members",
    "list_tenants",
    "lock_editable",
    "put_edited",
    "put_member",
    "put_tenant",
]

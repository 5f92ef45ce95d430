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
    TenantLine,
    default_tenant,
    find_default_tenant,
    find_tenant,
    list_tenants,
    put_tenant,
)

__all__ = [
    "EVERY_TENANT",
    "MemberLine",
    "TenantLine",
    "default_tenant",
    "find_default_tenant",
    "find_member",
    "find_owner",
    "find_role",
    "find_tenant",
    "list_members",
    "list_tenants",
    "put_member",
    "put_tenant",
]

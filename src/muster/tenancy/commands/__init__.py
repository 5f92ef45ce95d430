"""The verbs of tenancy."""

from muster.tenancy.commands import members
from muster.tenancy.commands.tenants import TENANT_UPDATE, CreateTenantInput, create_tenant

__all__ = ["TENANT_UPDATE", "CreateTenantInput", "create_tenant", "members"]

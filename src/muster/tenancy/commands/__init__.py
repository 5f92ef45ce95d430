"""The verbs of tenancy."""

from muster.tenancy.commands.tenants import CreateTenantInput, create_tenant

__all__ = ["CreateTenantInput", "create_tenant"]

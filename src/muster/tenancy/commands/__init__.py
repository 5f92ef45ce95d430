"""The verbs of tenancy."""

from muster.tenancy.commands import answering, invitations, joining, members
from muster.tenancy.commands.domains import DomainTaken, look, lose, settle
from muster.tenancy.commands.life import begin_deletion, limit_members, move
from muster.tenancy.commands.ownership import TooManyTenants
from muster.tenancy.commands.tenants import TENANT_UPDATE, CreateTenantInput, create_tenant

__all__ = [
    "TENANT_UPDATE",
    "CreateTenantInput",
    "DomainTaken",
    "TooManyTenants",
    "answering",
    "begin_deletion",
    "create_tenant",
    "invitations",
    "joining",
    "limit_members",
    "look",
    "lose",
    "members",
    "move",
    "settle",
]

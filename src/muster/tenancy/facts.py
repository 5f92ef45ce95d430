"""What happens to communities."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact


class TenantFact(Fact):
    """Base of what happens to one community."""

    kind: ClassVar[str] = "tenant"
    about: ClassVar[str] = "tenant_id"
    tenant_id: UUID


class TenantCreated(TenantFact):
    """A community was founded."""

    kind: ClassVar[str] = "tenant.created"
    owner_id: UUID


class TenantUpdated(TenantFact):
    """Something of a community was changed. changed: the fields, as clients know them."""

    kind: ClassVar[str] = "tenant.updated"
    changed: list[str]

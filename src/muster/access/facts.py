"""What happens to the roles of a community, and to people whom the platform's staff acts as."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact


class RoleFact(Fact):
    """Base of what happens to a role that a community made."""

    kind: ClassVar[str] = "role"
    about: ClassVar[str] = "role_id"
    role_id: UUID
    slug: str


class RoleCreated(RoleFact):
    """A community has a new role."""

    kind: ClassVar[str] = "role.created"


class RoleUpdated(RoleFact):
    """A role gives something else, or looks otherwise."""

    kind: ClassVar[str] = "role.updated"


class RoleDeleted(RoleFact):
    """A role is no more."""

    kind: ClassVar[str] = "role.deleted"


class ImpersonationFact(Fact):
    """Base of what happens when somebody of the platform's staff acts as a person."""

    kind: ClassVar[str] = "impersonation"
    about: ClassVar[str] = "impersonation_id"
    impersonation_id: UUID
    user_id: UUID


class ImpersonationStarted(ImpersonationFact):
    """Somebody of the platform's staff began to act as a person."""

    kind: ClassVar[str] = "impersonation.started"


class ImpersonationEnded(ImpersonationFact):
    """Somebody of the platform's staff no longer acts as a person."""

    kind: ClassVar[str] = "impersonation.ended"

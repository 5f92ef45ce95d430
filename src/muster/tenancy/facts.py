"""What happens to communities and to who belongs to them."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact
from muster.tenancy.rules import Way


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


class MemberFact(Fact):
    """Base of what happens to one person's membership."""

    kind: ClassVar[str] = "member"
    about: ClassVar[str] = "user_id"
    user_id: UUID
    member_id: UUID


class MemberJoined(MemberFact):
    """Somebody became a member, or one again."""

    kind: ClassVar[str] = "member.joined"
    way: Way


class MemberLeft(MemberFact):
    """A member left."""

    kind: ClassVar[str] = "member.left"


class MemberRemoved(MemberFact):
    """A member was removed."""

    kind: ClassVar[str] = "member.removed"


class MemberSuspended(MemberFact):
    """The community was closed to a member for a while."""

    kind: ClassVar[str] = "member.suspended"


class MemberResumed(MemberFact):
    """The community is open to a suspended member again."""

    kind: ClassVar[str] = "member.resumed"


class MemberRoleChanged(MemberFact):
    """A member has another role. was: the one before."""

    kind: ClassVar[str] = "member.role_changed"
    role: str
    was: str

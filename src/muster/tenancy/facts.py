"""What happens to communities and to who belongs to them."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from muster.kit.caller import TenantStatus
from muster.kit.commands.facts import Fact
from muster.tenancy.rules import Way


class TenantFact(Fact, kw_only=True):
    """Base of what happens to one community. by_id: who did it, and needs no telling; None where nobody in it did."""

    kind: ClassVar[str] = "tenant"
    about: ClassVar[str] = "tenant_id"
    tenant_id: UUID
    by_id: UUID | None = None


class TenantCreated(TenantFact):
    """A community was founded."""

    kind: ClassVar[str] = "tenant.created"
    owner_id: UUID


class TenantUpdated(TenantFact):
    """Something of a community was changed. changed: the fields, as clients know them."""

    kind: ClassVar[str] = "tenant.updated"
    changed: list[str]


class TenantClosed(TenantFact):
    """A community was archived, or suspended by the platform. reason: why, for its people."""

    kind: ClassVar[str] = "tenant.closed"
    status: TenantStatus
    reason: str | None = None


class TenantOpened(TenantFact):
    """A community is open again. status: as which it was closed."""

    kind: ClassVar[str] = "tenant.opened"
    status: TenantStatus


class TenantDeletionBegun(TenantFact):
    """A community is closed, and is to be erased then."""

    kind: ClassVar[str] = "tenant.deletion_begun"
    deletes_at: datetime


class TenantRestored(TenantFact):
    """A community is not to be deleted after all."""

    kind: ClassVar[str] = "tenant.restored"


class TenantDue(TenantFact):
    """The time has come to erase a community. The platform's fact: those of the community are erased, too."""

    kind: ClassVar[str] = "tenant.due"


class TenantErased(TenantFact):
    """Nothing is left of a community but its audit log. The platform's fact."""

    kind: ClassVar[str] = "tenant.erased"


class OwnershipFact(TenantFact):
    """Base of what happens between an owner and who is to be the next one. user_id: the latter."""

    kind: ClassVar[str] = "ownership"
    user_id: UUID


class OwnershipOffered(OwnershipFact):
    """An owner wants to hand over."""

    kind: ClassVar[str] = "ownership.offered"


class OwnershipWithdrawn(OwnershipFact):
    """They do not want to any more."""

    kind: ClassVar[str] = "ownership.withdrawn"


class OwnershipDeclined(OwnershipFact):
    """The other does not want to."""

    kind: ClassVar[str] = "ownership.declined"


class OwnershipTransferred(OwnershipFact):
    """A community has another owner. old_owner_id: who was it before."""

    kind: ClassVar[str] = "ownership.transferred"
    old_owner_id: UUID


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


class MemberRoleChanged(MemberFact, kw_only=True):
    """A member has another role. was: the one before. by_id: who did it."""

    kind: ClassVar[str] = "member.role_changed"
    role: str
    was: str
    by_id: UUID | None = None


class InvitationFact(Fact):
    """Base of what happens to one invitation."""

    kind: ClassVar[str] = "invitation"
    about: ClassVar[str] = "invitation_id"
    invitation_id: UUID


class InvitationMade(InvitationFact):
    """Somebody was invited, or a link made."""

    kind: ClassVar[str] = "invitation.made"


class InvitationSentAgain(InvitationFact):
    """An invitation is to be mailed once more."""

    kind: ClassVar[str] = "invitation.sent_again"


class InvitationAccepted(InvitationFact):
    """Somebody came in by an invitation."""

    kind: ClassVar[str] = "invitation.accepted"
    user_id: UUID


class InvitationDeclined(InvitationFact):
    """Who was invited does not want to come."""

    kind: ClassVar[str] = "invitation.declined"


class InvitationRevoked(InvitationFact):
    """An invitation was taken back."""

    kind: ClassVar[str] = "invitation.revoked"


class JoinRequestFact(Fact):
    """Base of what happens to somebody's wish to join."""

    kind: ClassVar[str] = "join_request"
    about: ClassVar[str] = "request_id"
    request_id: UUID
    user_id: UUID


class JoinRequested(JoinRequestFact):
    """Somebody asks to join."""

    kind: ClassVar[str] = "join_request.made"


class JoinApproved(JoinRequestFact):
    """Somebody who asked is a member now."""

    kind: ClassVar[str] = "join_request.approved"


class JoinRejected(JoinRequestFact):
    """Somebody who asked does not get in."""

    kind: ClassVar[str] = "join_request.rejected"


class JoinRequestCancelled(JoinRequestFact):
    """Somebody who asked does not want to join any more."""

    kind: ClassVar[str] = "join_request.cancelled"


class DomainFact(TenantFact):
    """Base of what happens to a domain of a community. name: of it."""

    kind: ClassVar[str] = "domain"
    domain_id: UUID
    name: str


class DomainProven(DomainFact):
    """A domain was shown to be the community's own, and leads to it."""

    kind: ClassVar[str] = "domain.proven"


class DomainDue(DomainFact):
    """It is time to look whether a domain is the community's still."""

    kind: ClassVar[str] = "domain.due"


class DomainFailing(DomainFact):
    """The record that proves a domain is not there any more. lost_at: when it is lost unless it comes back."""

    kind: ClassVar[str] = "domain.failing"
    lost_at: datetime


class DomainLost(DomainFact):
    """A domain does not lead to the community any more."""

    kind: ClassVar[str] = "domain.lost"

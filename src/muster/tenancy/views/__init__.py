"""What can be read of communities and of who belongs to them."""

from muster.tenancy.views.domains import DomainView
from muster.tenancy.views.invitations import InvitationUseView, InvitationView, JoinRequestView
from muster.tenancy.views.members import MemberView
from muster.tenancy.views.ownership import OwnershipOfferView
from muster.tenancy.views.tenants import TenantView

__all__ = [
    "DomainView",
    "InvitationUseView",
    "InvitationView",
    "JoinRequestView",
    "MemberView",
    "OwnershipOfferView",
    "TenantView",
]

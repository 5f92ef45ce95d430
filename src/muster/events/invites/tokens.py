"""What the link in a letter of invitation holds: the community and the invitation, under a seal. It is kept nowhere."""

from uuid import UUID

from muster.identity.seals import read_sealed_text, sealed_text
from muster.kit.text import as_id

_PURPOSE = "event invitation"


def event_invitation_token(secret: str, tenant_id: UUID, invitation_id: UUID) -> str:
    """The token of an invitation into an event: whoever follows it may be in another community yet, or in none."""
    return sealed_text(secret, _PURPOSE, f"{tenant_id.hex}.{invitation_id.hex}")


def read_event_invitation_token(secrets: tuple[str, ...], token: str) -> tuple[UUID, UUID] | None:
    """The community and the invitation of a token; None when it is not ours. secrets: any may have sealed it."""
    tenant, _, invitation = (read_sealed_text(secrets, _PURPOSE, token) or "").partition(".")
    tenant_id, invitation_id = as_id(tenant), as_id(invitation)
    return None if tenant_id is None or invitation_id is None else (tenant_id, invitation_id)

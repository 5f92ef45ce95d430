"""Tickets: what a browser holds while its person is away at a provider.

A ticket is sealed, and state, nonce and verifier are derived from it with our secret. So nothing is stored, and the
browser that holds the ticket is the only one that can come back with what belongs to it.
"""

from base64 import b64decode, b64encode
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

import msgspec

from muster.identity.seals import derived, read_sealed_text, sealed_text
from muster.kit.ids import new_id
from muster.kit.providers import Asked
from muster.settings import Settings

LASTS = timedelta(minutes=10)
_PURPOSE = "sign-in ticket"


class Ticket(msgspec.Struct, frozen=True):
    """One way to a provider and back.

    id: so that no two are alike. provider: its name. user_id: whose account is to be linked; None signs in.
    return_to: the path of ours that the person wants to see afterwards. expires_at: seconds since 1970. proves: it is to show
    who they are, and links nothing.
    """

    id: UUID
    provider: str
    user_id: UUID | None
    return_to: str
    expires_at: int
    proves: bool = False

    @classmethod
    def new(
        cls, provider: str, *, user_id: UUID | None, return_to: str, now: datetime, proves: bool = False
    ) -> "Ticket":
        """A ticket for one way."""
        return cls(new_id(), provider, user_id, return_to, int((now + LASTS).timestamp()), proves)

    def sealed(self, settings: Settings) -> str:
        """The ticket as its holder gets it."""
        text = b64encode(msgspec.json.encode(self)).decode()
        return sealed_text(settings.security.jwt_secret, _PURPOSE, text)

    def asked(self, settings: Settings) -> Asked:
        """What goes along to the provider, and has to hold on the way back."""
        secret, text = settings.security.jwt_secret, str(self.id)
        return Asked(
            redirect=f"{settings.addresses.app}/sign-in/{self.provider}/callback",
            state=derived(secret, "sign-in state", text),
            nonce=derived(secret, "sign-in nonce", text),
            verifier=derived(secret, "sign-in verifier", text),
            fresh=self.proves,
        )


def read_ticket(settings: Settings, token: str, now: datetime) -> Ticket | None:
    """The ticket that a text is; None when it is not ours or has expired."""
    text = read_sealed_text(settings.security.secrets, _PURPOSE, token)
    if text is None:
        return None
    ticket = msgspec.json.decode(b64decode(text), type=Ticket)
    return ticket if ticket.expires_at > now.timestamp() else None


def is_own_path(path: str) -> bool:
    """Whether this is a path of ours, and not by any reading the address of somebody else."""
    if not path.startswith("/") or path.startswith("//") or "\\" in path or not path.isprintable() or " " in path:
        return False
    parts = urlsplit(path)
    return not parts.scheme and not parts.netloc

"""Tickets: what proves a place at an event, at a door with or without a network.

A ticket is a JSON Web Token that names a membership, signed with a key of a kind by itself: none is good as an access token,
nor the reverse. The public half stands at `/.well-known/tickets.json`, so that a scanner can verify one offline. Whether the
place is still theirs is asked when it is scanned; so a ticket has no end of its own.
"""

from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import jwt

from muster.identity.tokens import as_jwk, derived_key, is_spelt_right, signed

LONGEST_TICKET = 600
"""Characters; ours are shorter."""


class Ticket(NamedTuple):
    """A membership of an event, and the community it is in."""

    tenant_id: UUID
    event_id: UUID
    member_id: UUID


class TicketKeys:
    """Signs and reads tickets. Which key signed one is told by its whole first part, which is never parsed."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        """secrets: the first signs, what any of them signed is good."""
        keys = [derived_key(secret, "ticket") for secret in secrets]
        self._private = keys[0]
        self._public = {signed({}, key).partition(".")[0]: key.public_key() for key in keys}

    def published(self) -> list[dict[str, str]]:
        """The public keys as JSON Web Keys, the one that signs first."""
        return [as_jwk(each) for each in self._public.values()]

    def sign(self, ticket: Ticket) -> str:
        """The ticket as text."""
        names = {"tid": ticket.tenant_id, "eid": ticket.event_id, "sub": ticket.member_id}
        return signed({name: str(value) for name, value in names.items()}, self._private)

    def read(self, text: str) -> Ticket | None:
        """What a text is the ticket of; None when it is none of ours."""
        public = self._public.get(text.partition(".")[0])
        if public is None or not is_spelt_right(text):
            return None
        try:
            claims = jwt.decode(text, public, algorithms=["EdDSA"], options={"require": ["tid", "eid", "sub"]})
            return Ticket(*(UUID(claims[name]) for name in ("tid", "eid", "sub")))
        except (jwt.InvalidTokenError, ValueError):
            return None


@lru_cache(maxsize=4)
def ticket_keys(secrets: tuple[str, ...]) -> TicketKeys:
    """The keys of a deployment; kept, since deriving them costs."""
    return TicketKeys(secrets)

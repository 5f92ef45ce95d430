"""The public keys of tickets, for scanners without a network."""

import msgspec
from starlette.responses import Response

from muster.events.checkin.tickets import ticket_keys
from muster.kit.endpoints.documents import Inquiry, document


@document("/.well-known/tickets.json")
async def show_ticket_keys(inquiry: Inquiry) -> Response:
    """The keys that tickets are signed with, as a JSON Web Key Set (RFC 7517)."""
    keys = ticket_keys(inquiry.services.settings.security.secrets).published()
    content = msgspec.json.encode({"keys": keys})
    return Response(content, media_type="application/jwk-set+json", headers={"cache-control": "public, max-age=300"})

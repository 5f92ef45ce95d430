"""Accounts made through the front door, and the links that are mailed to them."""

from uuid import UUID

from muster.identity.seals import link_token
from muster.testing.below import ask, change, value
from muster.testing.client import Client
from muster.testing.serving import Service
from muster.testing.work import drain

PASSWORD = "correct horse battery"  # noqa: S105 - not secret
ANN = "ann@example.org"


def account(email: str = ANN, password: str = PASSWORD) -> dict[str, str]:
    """The input of `register`."""
    return {"name": "Ann", "email": email, "password": password}


async def register(service: Service, email: str = ANN, *, verified: bool = True) -> UUID:
    """Open an account; answers with whose it is. verified: as if the link had been followed."""
    (await Client(service).call("register", input=account(email))).ok()
    if verified:
        await change(service.urls, "update users set verified_at = now() where email = $1", email)
    found: UUID = await value(service.urls, "select id from users where email = $1", email)
    return UUID(int=found.int)


async def mailed(service: Service, kind: str) -> list[str]:
    """The tokens of the links in all mails of a kind, oldest first, when all work is done."""
    await drain(service.urls)
    found = await ask(
        service.urls,
        "select l.id, l.purpose from mails m join links l on l.id = (m.data ->> 'link_id')::uuid "
        "where m.kind = $1 and m.state = 'KEPT' order by m.created_at",
        kind,
    )
    secret = service.settings.security.jwt_secret
    return [link_token(secret, purpose, UUID(int=link_id.int)) for link_id, purpose in found]


async def sessions(service: Service) -> int:
    """How many sessions are open."""
    number: int = await value(service.urls, "select count(*) from sessions where revoked_at is null")
    return number

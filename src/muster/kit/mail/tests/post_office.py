"""A real mail server for tests: takes mail, or answers as it is told to."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

TAKEN = "250 taken"


@dataclass
class PostOffice:
    """What came in, in order, and what to answer next.

    answers: to the next messages, one each; afterwards they are taken. url: for `SMTP_URL`.
    """

    url: str = ""
    answers: list[str] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    tried: int = 0
    encrypted: bool = False

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name for it
        self.tried += 1
        answer = self.answers.pop(0) if self.answers else TAKEN
        if answer == TAKEN:
            content = envelope.content
            assert isinstance(content, bytes)
            message = message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
            self.encrypted = session.ssl is not None
        return answer


@asynccontextmanager
async def post_office(
    *, tls: ssl.SSLContext | None = None, login: tuple[bytes, bytes] | None = None
) -> AsyncIterator[PostOffice]:
    """A mail server on a free port of the loopback.

    tls: it offers STARTTLS, and takes nothing without. login: it takes mail only from this user and password.
    """

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: object) -> AuthResult:
        right = isinstance(given, LoginPassword) and (given.login, given.password) == login
        return AuthResult(success=right, handled=right)

    office = PostOffice()
    loop = asyncio.get_running_loop()

    def one_connection() -> SMTP:
        return SMTP(
            office,
            hostname="post.test",
            loop=loop,
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=authenticate if login else None,
            auth_required=login is not None,
            auth_require_tls=tls is not None,
        )

    async with await loop.create_server(one_connection, "127.0.0.1", 0) as server:
        office.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield office

"""Sessions in a cookie, for browsers: no script can read the token, and no stranger's page can use it.

A cookie is given only to a request that asks for it by a header, which no form can send, so nobody is signed in
unawares; and it holds what we signed, so nobody can plant one that they made. What may change something needs the
session's CSRF token besides, in another header: `SameSite=Lax` alone lets pages of other hosts of the same site in.
That holds for GraphQL over POST too, whatever its media type, so that there is one rule.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from muster.kit.caller import Bearer
from muster.kit.commands.command import Command
from muster.kit.endpoints.http import json_response, problem_response
from muster.kit.errors import Denied, Unauthenticated
from muster.kit.views.results import Payload

CSRF_HEADER = "X-CSRF-Token"
"""Carries the CSRF token of a session in a cookie, both ways."""
SESSION_HEADER = "X-Session"
"""`cookie` asks for the session that a request opens to be kept in a cookie."""

ReadToken = Callable[[str, datetime], Bearer | None]
"""Whom a token was made for; None when it is not good."""

_SAFE = {"GET", "HEAD", "OPTIONS"}
_THIRTY_DAYS = 30 * 86_400


class CsrfTokenInvalid(Denied):
    """Send the CSRF token of this session in X-CSRF-Token; GET /api/v1/auth/csrf tells it."""

    code, title = "CSRF_TOKEN_INVALID", "CSRF token missing or wrong"


class ForeignOrigin(Denied):
    """Pages of this origin may not use the cookie of a session here."""

    code = "FOREIGN_ORIGIN"


@dataclass(frozen=True)
class Cookies:
    """Gives cookies, and reads them.

    read_access: reads an access token. read, seal: a cookie's token, for person and session. keys: of CSRF tokens,
    the first for those that are given now.
    origins: whose pages may open a socket by cookie.
    """

    read_access: ReadToken
    read: ReadToken
    seal: Callable[[UUID, UUID], str]
    keys: tuple[bytes, ...]
    origins: frozenset[str]
    is_production: bool

    @property
    def name(self) -> str:
        """The cookie's name. With the prefix browsers take it only from this very host, over TLS (RFC 6265bis, 4.1.3)."""
        return self._named("session")

    @property
    def _way(self) -> str:
        return self._named("way")

    def _named(self, what: str) -> str:
        return f"__Host-muster_{what}" if self.is_production else f"muster_{what}"

    def keep(self, answer: Response, text: str, *, seconds: int) -> None:
        """Have the browser hold something while its person is away at somebody else's page. No seconds: hold it no longer."""
        answer.set_cookie(self._way, text, max_age=seconds, httponly=True, samesite="lax", secure=self.is_production)

    def kept(self, request: Request) -> str | None:
        """What the browser held meanwhile."""
        return request.cookies.get(self._way)

    def signed_in(self, connection: HTTPConnection, now: datetime, csrf: str | None = None) -> Bearer | None:
        """The person and session of a request's cookie; None when it has none. csrf: stands in for the header.

        Raises Unauthenticated for a cookie that is not good, CsrfTokenInvalid and ForeignOrigin for one that is used by
        somebody who may not.
        """
        token = connection.cookies.get(self.name)
        if token is None:
            return None
        identity = self.read(token, now)
        if identity is None:
            raise Unauthenticated("Your session has ended; sign in again.")
        if connection.scope["type"] == "websocket":
            # Browsers send cookies with sockets that any page opens, and let it read what comes.
            if connection.headers.get("origin") not in self.origins:
                raise ForeignOrigin
        elif connection.scope["method"] not in _SAFE:
            given = connection.headers.get(CSRF_HEADER, "") if csrf is None else csrf
            self._check_csrf(given, identity.session_id)
        return identity

    def refuse_foreign_page(self, request: Request) -> None:
        """Refuse the page of another origin that would keep a stream open on somebody's cookie, though it cannot read
        it: what is open counts as theirs. Raises ForeignOrigin.
        """
        origin = request.headers.get("origin")
        if origin is not None and origin not in self.origins and self._came_by_cookie(request):
            raise ForeignOrigin

    def csrf_token(self, session_id: UUID) -> str:
        """The CSRF token of a session: only we can make it, and it is good for no other."""
        return _csrf_token(self.keys[0], session_id)

    def _check_csrf(self, given: str, session_id: UUID) -> None:
        """Refuse a CSRF token that is not the session's. Raises CsrfTokenInvalid."""
        if not any(hmac.compare_digest(given.encode(), _csrf_token(each, session_id).encode()) for each in self.keys):
            raise CsrfTokenInvalid

    def after(self, request: Request, command: Command, result: object) -> tuple[object, dict[str, str]]:
        """The result of a command that is done, and headers: a cookie is given or taken away where it has to be."""
        return (result, self.forgotten(request)) if command.ends_session else self._moved(request, result)

    def _moved(self, request: Request, result: object) -> tuple[object, dict[str, str]]:
        """A command's result, and headers: where it opens a session that the client wants in a cookie, its tokens have
        moved there.
        """
        if not isinstance(result, Payload) or not result.secrets or request.headers.get(SESSION_HEADER) != "cookie":
            return result, {}
        headers = self.given(result)
        return (
            (msgspec.structs.replace(result, **dict.fromkeys(result.secrets, "")), headers) if headers else (result, {})
        )

    def given(self, session: Payload) -> dict[str, str]:
        """Headers that give the cookie of a session that was just opened, and its CSRF token; none where it is none."""
        identity = self.read_access(getattr(session, session.secrets[0]), datetime.now(UTC))
        if identity is None:
            return {}
        # The session in the database ends sooner, or is ended; the cookie alone lets nobody in.
        cookie = self._cookie(self.seal(identity.user_id, identity.session_id), _THIRTY_DAYS)
        return {"set-cookie": cookie, CSRF_HEADER: self.csrf_token(identity.session_id)}

    def forgotten(self, request: Request) -> dict[str, str]:
        """Headers that take away the cookie on which a request came."""
        return {"set-cookie": self._cookie("", 0)} if self._came_by_cookie(request) else {}

    def _came_by_cookie(self, request: Request) -> bool:
        return self.name in request.cookies and "authorization" not in request.headers

    def _cookie(self, token: str, seconds: int) -> str:
        answer = Response()
        answer.set_cookie(self.name, token, max_age=seconds, httponly=True, samesite="lax", secure=self.is_production)
        return answer.headers["set-cookie"]


def _csrf_token(key: bytes, session_id: UUID) -> str:
    return hmac.digest(key, b"csrf " + session_id.bytes, "sha256").hex()


def tell_csrf_token(request: Request, cookies: Cookies) -> Response:
    """`GET /api/v1/auth/csrf`: the token of the session that the cookie holds. Pages of strangers cannot read it."""
    try:
        identity = cookies.signed_in(request, datetime.now(UTC))
        if identity is None:
            raise Unauthenticated
    except Unauthenticated as error:
        error.headers = cookies.forgotten(request)
        return problem_response(error, request.state.request_id)
    return json_response(msgspec.json.encode({"csrfToken": cookies.csrf_token(identity.session_id)}))

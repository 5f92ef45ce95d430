"""Addresses: where the methods of one path are told apart."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from muster.kit.endpoints.asked import Asked
from muster.kit.endpoints.http import NoSuchMethod, problem_response

Serve = Callable[[Request], Awaitable[Response]]


class Address:
    """The application at one path. It answers HEAD as GET without the body, OPTIONS with what it takes, and any method
    that it does not take with 405; the router, which knows one route at a time, would name only some in `Allow`.
    """

    def __init__(self, methods: Mapping[str, Serve]) -> None:
        self._methods = methods
        heads = {"HEAD"} if "GET" in methods else set()
        self._allow = {"Allow": ", ".join(sorted({*methods, *heads, "OPTIONS"}))}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        request = Asked(scope, receive, send)
        response = await self._answer(request)
        if request.method == "HEAD":
            # The length stays that of the body which GET would send (RFC 9110, 9.3.2).
            response.body = b""
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        serve = self._methods.get("GET" if request.method == "HEAD" else request.method)
        if serve is not None:
            return await serve(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=self._allow)
        return problem_response(NoSuchMethod(headers=self._allow), request.state.request_id)

"""Lanes lead where the router would, and leave to it what they do not know."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from muster.kit.endpoints.lanes import Lanes

TEMPLATES = (
    "/things",
    "/things/{id}",
    "/things/{id}/parts",
    "/things/{id}/parts/me",
    "/things/{id}/parts/{partId}",
    "/things/mine",
    "/things/mine/{year}/months/{month}",
)


class _Says:
    """Answers with its own template and what stands in its places."""

    def __init__(self, template: str) -> None:
        self._template = template

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = PlainTextResponse(f"{self._template} {Request(scope).path_params}")
        await answer(scope, receive, send)


async def _answer(app: ASGIApp, path: str) -> tuple[int, bytes]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}, receive, send)
    return sent[0]["status"], sent[1]["body"]


@pytest.mark.parametrize(
    "path",
    [
        *("/things", "/things/1", "/things/1/parts", "/things/1/parts/me", "/things/1/parts/2", "/things/mine"),
        # The walk goes by `mine` first, and only the router goes back to `{id}`.
        *("/things/mine/parts", "/things/mine/parts/me", "/things/mine/2031/months/7"),
        *("", "/", "//", "/things/", "/things//parts", "/thing", "/things/1/parts/2/3", "/{id}", "/things/{id}"),
        *("/things/a b", "/things/\u017c\u00f3\u0142w", "/things/1\n"),
    ],
)
async def test_a_lane_leads_where_the_router_would(path: str) -> None:
    # As the routes of REST are: those with fewer places first.
    routes = [Route(each, _Says(each)) for each in sorted(TEMPLATES, key=lambda each: (each.count("{"), each))]
    router = Starlette(routes=routes)
    router.router.redirect_slashes = False
    assert await _answer(Lanes(router, routes), path) == await _answer(router, path)

"""What developers open in a browser: the start page, the reference of the API, and GraphiQL. All of it works offline."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster import __version__
from muster.kit.endpoints.accept import preferred
from muster.kit.endpoints.pages.html import Policy, html
from muster.kit.endpoints.pages.page import PAGES, Visit, page

_TEMPLATES = "kit/endpoints/pages/templates"
# Their programs are files of ours and of packages. Their styles are set by program too, hence `unsafe-inline` there.
_PROGRAMS: Policy = {
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "font-src": "'self' data:",
    "connect-src": "'self'",
}
_PLACES = {"docs": "/docs", "openapi": "/openapi.json", "graphql": "/graphql", "health": "/health/ready"}


def wants_page(request: Request) -> bool:
    """Whether this is a browser that shows what it gets to a person."""
    if request.method not in ("GET", "HEAD"):
        return False
    return preferred(request.headers.get("accept"), ("application/json", "text/html")) == "text/html"


@page("GET /")
async def start(visit: Visit) -> Response:
    """What runs here and where to look."""
    settings = visit.services.settings
    if settings.is_production or not wants_page(visit.request):
        return _json({"name": "Muster", **_PLACES})
    pages = {
        path: (each.function.__doc__ or "").strip()
        for (method, path), each in PAGES.items()
        if method == "GET" and each.development and not each.route.places
    }
    return visit.show(
        f"{_TEMPLATES}/start.html", version=__version__, environment=settings.environment, pages=sorted(pages.items())
    )


@page("GET /docs")
async def docs(visit: Visit) -> Response:
    """The reference of the REST API, from its OpenAPI document."""
    return visit.show(f"{_TEMPLATES}/docs.html", policy=_PROGRAMS)


def graphiql() -> Response:
    """GraphiQL, for `/graphql` in a browser."""
    return html(f"{_TEMPLATES}/graphiql.html", {}, policy=_PROGRAMS)


def _json(body: dict[str, Any]) -> Response:
    headers = {"cache-control": "no-cache", "vary": "Accept"}
    return Response(msgspec.json.encode(body), headers=headers, media_type="application/json")

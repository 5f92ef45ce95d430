"""The application: every endpoint mounted, one table of addresses."""

from collections.abc import Callable
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from muster.kit.commands.context import Services
from muster.kit.endpoints.address import Address, Serve
from muster.kit.endpoints.armour import armour
from muster.kit.endpoints.cookies import tell_csrf_token
from muster.kit.endpoints.cors import open_to
from muster.kit.endpoints.documents import document_routes
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.event_stream.graphql import GraphQLEvents
from muster.kit.endpoints.event_stream.rest import PATH as STREAM
from muster.kit.endpoints.event_stream.rest import PlainStream
from muster.kit.endpoints.exposition import Exposition, metrics_routes
from muster.kit.endpoints.files import FileLinks
from muster.kit.endpoints.frame import Frame
from muster.kit.endpoints.graphql.execution import GraphQL
from muster.kit.endpoints.graphql.http import OverHttp
from muster.kit.endpoints.health import Health
from muster.kit.endpoints.http import NoSuchAddress, problem_response, readable_response
from muster.kit.endpoints.lanes import Lanes
from muster.kit.endpoints.operating import Operating
from muster.kit.endpoints.packing import packed
from muster.kit.endpoints.pages.serving import page_routes
from muster.kit.endpoints.places import Places
from muster.kit.endpoints.rest.endpoints import Rest
from muster.kit.endpoints.socket import graphql_over_socket
from muster.kit.endpoints.tags import tag_of
from muster.kit.errors import AppError
from muster.kit.realtime.hub import Hub
from muster.kit.storage.storage import ADDRESS as FILES
from muster.kit.storage.storage import storage_of
from muster.kit.tracing.switch import TRACING


def build_app(
    services: Services,
    edge: Edge,
    graphql: GraphQL,
    hub: Hub,
    health: Health,
    exposition: Exposition,
    openapi: str,
    keys: str,
    queues: Callable[[], list[str]],
) -> ASGIApp:
    """Mount everything that is declared by now.

    openapi: the document to serve. keys: those that access tokens verify with, as a JWK set. queues: gives the name of every queue.
    """
    settings = services.settings
    places = Places(settings.sockets)
    over_http = OverHttp(graphql, edge, GraphQLEvents(graphql, hub, edge, places))

    async def socket_endpoint(websocket: WebSocket) -> None:
        await graphql_over_socket(websocket, graphql, hub, edge, places)

    others = {
        "/openapi.json": _telling(openapi),
        "/.well-known/jwks.json": _telling_keys(keys),
        STREAM: PlainStream(services, hub, edge, places).serve,
        **_about_the_service(services, edge, health, queues),
    }
    graphql_route = Route("/graphql", over_http.address(shows_page=not settings.is_production))
    hot = [graphql_route, *Rest(services, edge).routes()]
    routes = [
        *hot,
        WebSocketRoute("/graphql", socket_endpoint),
        *document_routes(services, edge),
        *page_routes(services, edge),
        *(metrics_routes(exposition) if exposition.token else ()),
        *(Route(path, Address({"GET": endpoint})) for path, endpoint in others.items()),
    ]
    application = Starlette(routes=routes, exception_handlers={HTTPException: _http_error})
    # An address has one form; a redirect would be made from the client's own Host header.
    application.router.redirect_slashes = False
    opened = partial(open_to, settings.http.origins, is_production=settings.is_production)
    always = armour(is_production=settings.is_production)
    return Frame(_traced(Lanes(application, hot)), always, opened, logs=settings.log_requests)


def _about_the_service(
    services: Services, edge: Edge, health: Health, queues: Callable[[], list[str]]
) -> dict[str, Serve]:
    """What stands beside the slices' endpoints, for browsers, operators and whoever watches over the service."""

    async def csrf_endpoint(request: Request) -> Response:
        return tell_csrf_token(request, edge.cookies)

    operating = Operating(services.database, services.settings.security.operator_token, queues)
    return {
        "/api/v1/admin/queues/stats": operating.queues,
        "/api/v1/admin/deprecations": operating.deprecations,
        "/api/v1/auth/csrf": csrf_endpoint,
        f"{FILES}/{{token}}": FileLinks(storage_of(services.settings)).fetch,
        "/health": health.short,
        "/health/live": health.live,
        "/health/ready": health.ready,
    }


def _telling(openapi: str) -> Serve:
    """What tells the document."""
    content, tag = openapi.encode(), tag_of(openapi, openapi.encode(), versioned=False)

    async def openapi_endpoint(request: Request) -> Response:
        return await packed(request, readable_response(request, content, tag, is_personal=False))

    return openapi_endpoint


def _telling_keys(keys: str) -> Serve:
    """What tells the keys (RFC 7517, section 5). Who verifies tokens asks now and then; a new key is told before it signs."""

    async def keys_endpoint(request: Request) -> Response:
        return Response(keys, headers={"cache-control": "public, max-age=300"}, media_type="application/jwk-set+json")

    return keys_endpoint


def _traced(application: ASGIApp) -> ASGIApp:
    """The application with each request as a step, where there are traces."""
    if TRACING.spans is None:
        return application
    from muster.kit.endpoints.traced import Traced  # with it comes the library

    return Traced(application, TRACING.spans)


async def _http_error(request: Request, error: Exception) -> Response:
    """The router's own refusals, as problem documents; there is only one, since addresses refuse methods themselves."""
    is_missing = isinstance(error, HTTPException) and error.status_code == 404
    return problem_response(NoSuchAddress() if is_missing else AppError(), request.state.request_id)

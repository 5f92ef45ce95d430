"""Documents: what is read at an address of its own and is neither JSON of the API nor a page, such as the tile of a map."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

from muster.kit.caller import Origin
from muster.kit.commands.context import Services
from muster.kit.endpoints.address import Address, Serve
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.http import problem_response, query_string, readable_response
from muster.kit.endpoints.packing import packed
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.endpoints.rates import tell_rates
from muster.kit.endpoints.tags import tag_of
from muster.kit.limits import READ


@dataclass(frozen=True)
class Inquiry:
    """One request for a document. places: what stands in the path. given: what stands in the query string."""

    services: Services
    origin: Origin
    request: Request
    places: Mapping[str, str]
    given: dict[str, str]


Show = Callable[[Inquiry], Awaitable[Response]]

DOCUMENTS: dict[str, Show] = {}
"""Every declared document by its path."""


def document(path: str) -> Callable[[Show], Show]:
    """Declare a document: `/map/{z}/{x}/{y}.mvt`, read with GET by whoever the request says.

    The function asks the gate itself, and draws from no limit: a document counts as a read.
    Raises TypeError, at import, for a path that is taken.
    """
    if path in DOCUMENTS:
        raise TypeError(f"{path} is declared twice; give one of the two another address")

    def declare(function: Show) -> Show:
        DOCUMENTS[path] = function
        return function

    return declare


async def document_response(
    request: Request, content: bytes, media_type: str, *, is_personal: bool, kept: str | None = None
) -> Response:
    """A document, or 304 for who has it already; packed where that is worth it.

    kept: what caches may do with it (`Cache-Control`); None is what they may do with every read.
    """
    tag = tag_of("", content, versioned=False)
    answer = readable_response(request, content, tag, is_personal=is_personal, media_type=media_type)
    if kept is not None:
        answer.headers["cache-control"] = kept
    return await packed(request, answer)


def document_routes(services: Services, edge: Edge) -> list[HttpRoute]:
    """The routes of every declared document."""
    return [HttpRoute(path, Address({"GET": _endpoint(show, services, edge)})) for path, show in DOCUMENTS.items()]


def _endpoint(show: Show, services: Services, edge: Edge) -> Serve:
    async def endpoint(request: Request) -> Response:
        request_id: str = request.state.request_id
        try:
            origin = await edge.origin(request, request_id=request_id)
            await services.limiter.draw((READ,), origin)
            inquiry = Inquiry(services, origin, request, request.path_params, query_string(request))
            return tell_rates(await show(inquiry), origin)
        except Exception as error:  # noqa: BLE001 - every failure becomes a problem document
            return problem_response(as_rest_writes_it(client_error(error)), request_id)

    return endpoint

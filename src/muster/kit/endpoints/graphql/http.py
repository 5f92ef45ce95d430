"""GraphQL over HTTP: the hot lane, a plain function from request to response."""

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.arguments import read_struct
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.documents import errors_of
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest
from muster.kit.endpoints.http import decode_json, query_string, read_json
from muster.kit.endpoints.problem import client_error
from muster.kit.errors import AppError, BadInput, Invalid

_MEDIA_TYPE = "application/graphql-response+json"


class OnlyQueries(AppError):
    """GET reads; send mutations by POST."""

    status, code, title = 405, "METHOD_NOT_ALLOWED", "GET only reads"


async def graphql_over_http(request: Request, graphql: GraphQL, edge: Edge) -> Response:
    """Run one operation and answer, whatever happens."""
    request_id: str = request.state.request_id
    accepts = request.headers.get("accept", "")
    media_type = _MEDIA_TYPE if _MEDIA_TYPE in accepts else "application/json"
    try:
        asked = await _read(request)
        operation = graphql.read(asked)
        if request.method == "GET" and operation.kind != "query":
            raise OnlyQueries
        origin = await edge.origin(request, request_id=request_id)
        body, status = await graphql.run(operation, origin), 200
        headers: dict[str, str] = {}
    except Exception as error:  # noqa: BLE001 - every failure becomes an answer in GraphQL's own form
        told = client_error(error)
        body = msgspec.json.encode({"errors": errors_of(told, request_id)})
        status, headers = told.status, dict(told.headers)
    if status == 405:
        headers["allow"] = "POST"
    return Response(body, status, {"cache-control": "private, no-store", **headers}, media_type=media_type)


async def _read(request: Request) -> GraphQLRequest:
    if request.method == "GET":
        raw: Any = _from_address(query_string(request))
    else:
        raw = await read_json(request)
    if not isinstance(raw, dict):
        raise BadInput("The body must be a JSON object with `query`.")
    try:
        return read_struct(raw, GraphQLRequest)
    except Invalid as error:
        raise BadInput(error.detail, fields=error.fields) from None


def _from_address(given: dict[str, Any]) -> dict[str, Any]:
    return given | {name: decode_json(given[name], name) for name in ("variables", "extensions") if name in given}

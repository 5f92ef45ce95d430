"""GraphQL over HTTP: the hot lane, a plain function from request to response."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.documents import BadDocument
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest
from muster.kit.endpoints.http import read_json
from muster.kit.endpoints.problem import client_error, graphql_error
from muster.kit.errors import AppError, BadInput

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
        origin = await edge.origin(
            request_id=request_id,
            authorization=request.headers.get("authorization"),
            tenant=request.headers.get("x-tenant"),
            address=request.client.host if request.client else None,
            agent=request.headers.get("user-agent"),
        )
        body, status = await graphql.run(operation, origin), 200
        headers: dict[str, str] = {}
    except Exception as error:  # noqa: BLE001 - every failure becomes an answer in GraphQL's own form
        told = client_error(error)
        body = msgspec.json.encode({"errors": _errors(told, request_id)})
        status, headers = told.status, dict(told.headers)
    if status == 405:
        headers["allow"] = "POST"
    return Response(body, status, {"cache-control": "private, no-store", **headers}, media_type=media_type)


def _errors(error: AppError, request_id: str) -> list[dict[str, Any]]:
    whole = graphql_error(error, request_id)
    if not isinstance(error, BadDocument):
        return [whole]
    return [
        {
            **whole,
            "message": each.message,
            "locations": [{"line": place.line, "column": place.column} for place in each.locations or ()],
        }
        for each in error.errors
    ]


async def _read(request: Request) -> GraphQLRequest:
    if request.method == "GET":
        raw: Any = _from_address(request.url.query)
    else:
        raw = await read_json(request)
    if not isinstance(raw, dict):
        raise BadInput("The body must be a JSON object with `query`.")
    try:
        return msgspec.convert(raw, GraphQLRequest)
    except msgspec.ValidationError as error:
        raise BadInput(f"The request is no GraphQL request: {error}.") from None


def _from_address(query: str) -> dict[str, Any]:
    given: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    for name in ("variables", "extensions"):
        if name in given:
            try:
                given[name] = msgspec.json.decode(given[name])
            except (msgspec.DecodeError, RecursionError):
                raise BadInput(f"{name}: is not JSON.") from None
    return given

"""GraphQL over HTTP: the hot lane, a plain function from request to response.

By the specification at https://graphql.github.io/graphql-over-http/draft/. What is no request of GraphQL at all is
refused with its status whatever the media type; what GraphQL itself refuses has that status only where the client takes
`application/graphql-response+json`, since in `application/json` a status may come from anybody on the way.
"""

from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.arguments import read_struct
from muster.kit.endpoints.accept import preferred
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.errors import request_errors
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest, Operation
from muster.kit.endpoints.graphql.mutations import with_key
from muster.kit.endpoints.http import decode_json, query_string, read_json
from muster.kit.endpoints.keys import key_of
from muster.kit.endpoints.problem import client_error
from muster.kit.errors import AppError, BadInput, Invalid

GRAPHQL_JSON = "application/graphql-response+json"
_JSON = "application/json"


class OnlyQueries(AppError):
    """GET reads; send mutations by POST."""

    status, code, title = 405, "METHOD_NOT_ALLOWED", "GET only reads"


class NotAcceptable(AppError):
    """Answers are application/graphql-response+json or application/json; accept one of them."""

    status, code, title = 406, "NOT_ACCEPTABLE", "Not acceptable"


async def graphql_over_http(request: Request, graphql: GraphQL, edge: Edge) -> Response:
    """Run one operation and answer, whatever happens."""
    request_id: str = request.state.request_id
    # Whoever does not say what they take gets the newer type; curl and browsers' fetch say that they take anything.
    media_type = preferred(request.headers.get("accept", GRAPHQL_JSON), (_JSON, GRAPHQL_JSON))
    try:
        if media_type is None:
            raise NotAcceptable
        operation = _operation(request, graphql, await _read(request))
        whoever = isinstance(operation, Operation) and operation.document.is_for_whoever
        origin = await edge.origin(request, request_id=request_id, whoever=whoever)
    except Exception as error:  # noqa: BLE001 - every failure becomes an answer in GraphQL's own form
        told = client_error(error)
        if told.status == 401:
            told.headers = {**told.headers, **edge.cookies.forgotten(request)}
        return _refused(told, told.status, request_id, media_type or GRAPHQL_JSON)
    try:
        if isinstance(operation, AppError):
            raise operation
        body = await graphql.run(operation, origin)
    except Exception as error:  # noqa: BLE001 - as above
        told = client_error(error)
        if told.status == 401:
            told.headers = {**told.headers, **edge.cookies.forgotten(request)}
        return _refused(told, _status(told, media_type), request_id, media_type)
    return _answer(body, 200, {}, media_type)


def _operation(request: Request, graphql: GraphQL, asked: GraphQLRequest) -> Operation | AppError:
    """What is to be run, or why it cannot be: who calls is asked next, since it may not matter, and told first."""
    try:
        operation = graphql.read(asked)
        if operation.kind != "mutation":
            return operation
        if request.method != "POST":
            return OnlyQueries(headers={"allow": "POST"})
        key = key_of(request)
        return operation if key is None else replace(operation, extensions=with_key(operation.extensions, key))
    except AppError as error:
        return error


def _status(error: AppError, media_type: str) -> int:
    """The status of a well-formed request that was refused."""
    is_about_http = error.status in (405, 429) or error.status >= 500
    return error.status if is_about_http or media_type == GRAPHQL_JSON else 200


def _refused(error: AppError, status: int, request_id: str, media_type: str) -> Response:
    body = msgspec.json.encode({"errors": request_errors(error, request_id)})
    headers = dict(error.headers)
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return _answer(body, status, headers, media_type)


def _answer(body: bytes, status: int, headers: dict[str, str], media_type: str) -> Response:
    headers = {"cache-control": "private, no-store", "content-type": f"{media_type}; charset=utf-8", **headers}
    return Response(body, status, headers)


async def _read(request: Request) -> GraphQLRequest:
    raw: Any = await read_json(request) if request.method == "POST" else _from_address(query_string(request))
    if isinstance(raw, list):
        raise BadInput("The body is a list; send one operation in a request, not a batch of them.")
    if not isinstance(raw, dict):
        raise BadInput("The body must be a JSON object with `query`.")
    try:
        return read_struct(raw, GraphQLRequest)
    except Invalid as error:
        raise BadInput(error.detail, fields=error.fields) from None


def _from_address(given: dict[str, Any]) -> dict[str, Any]:
    return given | {name: decode_json(given[name], name) for name in ("variables", "extensions") if name in given}

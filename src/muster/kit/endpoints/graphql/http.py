"""GraphQL over HTTP: the hot lane, from request to response without a layer between.

By the specification at https://graphql.github.io/graphql-over-http/draft/. What is no request of GraphQL at all is
refused with its status whatever the media type; what GraphQL itself refuses has that status only where the client takes
`application/graphql-response+json`, since in `application/json` a status may come from anybody on the way.
"""

from dataclasses import replace
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.arguments import fitting
from muster.kit.caller import Origin
from muster.kit.commands.command import Command
from muster.kit.endpoints.accept import preferred
from muster.kit.endpoints.address import Address
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.event_stream.graphql import OPERATION_ID, TOKEN_HEADER, GraphQLEvents
from muster.kit.endpoints.event_stream.line import MEDIA_TYPE as EVENT_STREAM
from muster.kit.endpoints.graphql.errors import request_errors
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest, Operation
from muster.kit.endpoints.graphql.mutations import After, with_key
from muster.kit.endpoints.http import decode_json, query_string, read_json, readable_response
from muster.kit.endpoints.keys import key_of
from muster.kit.endpoints.packing import LEAST, packed
from muster.kit.endpoints.pages.browser import graphiql, wants_page
from muster.kit.endpoints.problem import client_error
from muster.kit.endpoints.rates import tell_rates
from muster.kit.endpoints.tags import tag_of
from muster.kit.errors import AppError, BadInput, Invalid

GRAPHQL_JSON = "application/graphql-response+json"
_JSON = "application/json"


class OnlyQueries(AppError):
    """GET reads; send mutations by POST."""

    status, code, title = 405, "METHOD_NOT_ALLOWED", "GET only reads"


class NotAcceptable(AppError):
    """Answers are application/graphql-response+json, application/json or text/event-stream; accept one of them."""

    status, code, title = 406, "NOT_ACCEPTABLE", "Not acceptable"


class OverHttp:
    """Serves the address of GraphQL."""

    def __init__(self, graphql: GraphQL, edge: Edge, events: GraphQLEvents) -> None:
        self._graphql, self._edge, self._events = graphql, edge, events

    def address(self, *, shows_page: bool) -> Address:
        """Every method of it. shows_page: whether a browser that shows what it gets to a person gets GraphiQL."""
        read = self._show_or_operate if shows_page else self.operate
        return Address({"GET": read, "POST": self.operate, "PUT": self.reserve, "DELETE": self.stop})

    async def _show_or_operate(self, request: Request) -> Response:
        return graphiql() if wants_page(request) else await self.operate(request)

    async def operate(self, request: Request) -> Response:
        """GET and POST: run one operation and answer, whatever happens."""
        # Whoever does not say what they take gets the newer type; curl and browsers' fetch say that they take anything.
        media_type = preferred(request.headers.get("accept", GRAPHQL_JSON), (_JSON, GRAPHQL_JSON, EVENT_STREAM))
        token = request.headers.get(TOKEN_HEADER)
        try:
            if media_type is None:
                raise NotAcceptable
            if media_type == EVENT_STREAM and request.method != "POST" and (token or "token" in request.query_params):
                return self._events.connect(
                    request, token or request.query_params["token"], await self._counted(request)
                )
            operation = _operation(request, self._graphql, await _read(request))
            whoever = isinstance(operation, Operation) and operation.document.is_for_whoever
            origin = await self._origin(request, whoever=whoever)
            if isinstance(operation, OnlyQueries):
                raise operation
            if media_type == EVENT_STREAM and token is None:
                return await self._events.answer(request, operation, origin)
        except Exception as error:  # noqa: BLE001 - every failure becomes an answer in GraphQL's own form
            return self._refused(request, error, media_type)
        try:
            if isinstance(operation, AppError):
                await self._edge.limiter.draw((), origin)
                raise operation
            if token is not None:
                return self._events.run(token, operation, origin)
            session: dict[str, str] = {}
            after = self._moving(request, session) if operation.kind == "mutation" else None
            body = await self._graphql.run(operation, origin, after)
        except Exception as error:  # noqa: BLE001 - as above
            return self._refused(request, error, media_type, is_well_formed=token is None)
        if request.method == "POST":
            answer = _answer(body, 200, session, media_type)
        else:
            is_personal, tag = origin.claim.user_id is not None, tag_of("", body, versioned=False)
            answer = readable_response(request, body, tag, is_personal=is_personal, media_type=_in_utf_8(media_type))
        if len(body) >= LEAST and operation.kind == "query":
            answer = await packed(request, answer)
        return tell_rates(answer, origin)

    async def reserve(self, request: Request) -> Response:
        """PUT: reserve an event stream."""
        try:
            return await self._events.reserve(await self._counted(request))
        except Exception as error:  # noqa: BLE001 - as above
            return self._refused(request, error)

    async def stop(self, request: Request) -> Response:
        """DELETE: stop an operation of an event stream."""
        try:
            token, operation_id = request.headers.get(TOKEN_HEADER, ""), query_string(request).get(OPERATION_ID, "")
            return self._events.stop(token, operation_id, await self._counted(request))
        except Exception as error:  # noqa: BLE001 - as above
            return self._refused(request, error)

    def _moving(self, request: Request, session: dict[str, str]) -> After:
        """Moves sessions into a cookie where the client asks for that. session: headers, which are added to."""

        def after(command: Command, result: object) -> object:
            shown, headers = self._edge.cookies.after(request, command, result)
            session.update(headers)
            return shown

        return after

    async def _origin(self, request: Request, *, whoever: bool = False) -> Origin:
        return await self._edge.origin(request, request_id=request.state.request_id, whoever=whoever)

    async def _counted(self, request: Request) -> Origin:
        """The origin of what draws from no limit of its own."""
        origin = await self._origin(request)
        await self._edge.limiter.draw((), origin)
        return origin

    def _refused(
        self, request: Request, error: Exception, media_type: str | None = None, *, is_well_formed: bool = False
    ) -> Response:
        """A refusal. is_well_formed: the request was, so what is refused is what it asks of GraphQL."""
        told = client_error(error)
        answers = media_type if media_type in (_JSON, GRAPHQL_JSON) else GRAPHQL_JSON
        status = _status(told, answers) if is_well_formed else told.status
        body = msgspec.json.encode({"errors": request_errors(told, request.state.request_id)})
        headers = dict(told.headers)
        if told.status == 401:
            headers |= self._edge.cookies.forgotten(request)
        if status == 401:
            headers["www-authenticate"] = "Bearer"
        return _answer(body, status, headers, answers)


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
    is_about_http = error.status == 429 or error.status >= 500
    return error.status if is_about_http or media_type == GRAPHQL_JSON else 200


def _answer(body: bytes, status: int, headers: dict[str, str], media_type: str) -> Response:
    headers = {"cache-control": "private, no-store", "content-type": _in_utf_8(media_type), **headers}
    return Response(body, status, headers)


def _in_utf_8(media_type: str) -> str:
    return f"{media_type}; charset=utf-8"


async def _read(request: Request) -> GraphQLRequest:
    raw: Any = await read_json(request) if request.method == "POST" else _from_address(query_string(request))
    if isinstance(raw, list):
        raise BadInput("The body is a list; send one operation in a request, not a batch of them.")
    if not isinstance(raw, dict):
        raise BadInput("The body must be a JSON object with `query`.")
    try:
        return fitting(raw, GraphQLRequest)
    except Invalid as error:
        raise BadInput(error.detail, fields=error.fields) from None


def _from_address(given: dict[str, Any]) -> dict[str, Any]:
    return given | {name: decode_json(given[name], name) for name in ("variables", "extensions") if name in given}

"""REST from the declarations: one route per command and query."""

from collections.abc import Awaitable, Callable
from typing import Any

from sqlalchemy import ColumnElement
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

from muster.kit.caller import Origin
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.commands.context import Services
from muster.kit.commands.run import Done, run_command
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.http import json_response, problem_response, query_string, read_json
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.endpoints.rendering import render
from muster.kit.errors import BadInput, NotFound
from muster.kit.text import camel
from muster.kit.views.compiler import Compiler
from muster.kit.views.page_arguments import PAGE_NAMES
from muster.kit.views.picks import Pick, SlotValues, whole, whole_page
from muster.kit.views.plans import PlanCache, compile_plan, run_plan
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.results import Payload, whole_payload
from muster.kit.views.view import View

Endpoint = Callable[[Request, Origin], Awaitable[Response]]


class Rest:
    """The REST endpoints of everything that is declared."""

    def __init__(self, services: Services, edge: Edge) -> None:
        self._services = services
        self._edge = edge
        self._plans = PlanCache()

    def routes(self) -> list[HttpRoute]:
        """The routes; those with fewer places first, so that `members/me` is found before `members/{userId}`."""
        declared: list[Command | Query] = [*COMMANDS.values(), *QUERIES.values()]
        declared.sort(key=lambda each: (len(each.route.places), each.route.path))
        return [HttpRoute(each.route.template, self._guarded(each), methods=[each.route.method]) for each in declared]

    def _guarded(self, declared: Command | Query) -> Callable[[Request], Awaitable[Response]]:
        inner = self._command(declared) if isinstance(declared, Command) else self._query(declared)

        async def endpoint(request: Request) -> Response:
            request_id: str = request.state.request_id
            try:
                return await inner(request, await self._edge.origin(request, request_id=request_id))
            except Exception as error:  # noqa: BLE001 - every failure becomes a problem document
                return problem_response(as_rest_writes_it(client_error(error)), request_id)

        return endpoint

    def _query(self, query: Query) -> Endpoint:
        pick = whole_page(query.view, 0) if query.paged else Pick("", "", 0, whole(query.view))

        def body(compiler: Compiler) -> ColumnElement[str]:
            return query.compile(compiler, pick)

        async def endpoint(request: Request, origin: Origin) -> Response:
            given = _with_places(request, query_string(request))
            slots = [query.read(_paging(query, given), from_text=True)]
            key = (query.name, slots[0].shape)
            plan = self._plans.get(key, lambda: compile_plan(self._services.gate, slots, [body]))
            caller, bodies = await run_plan(self._services.database, plan, origin, slots)
            self._services.gate.admit(origin.claim, caller, query.allow, query.permission)
            if bodies[0] == "null":
                raise NotFound
            return json_response(bodies[0])

        return endpoint

    def _command(self, command: Command) -> Endpoint:
        async def endpoint(request: Request, origin: Origin) -> Response:
            raw, from_text = await _command_arguments(command, request)
            arguments = command.arguments.read(raw, from_text=from_text)
            done = await run_command(self._services, command, origin, arguments)
            return await self._answer(command, done, origin)

        return endpoint

    async def _answer(self, command: Command, done: Done, origin: Origin) -> Response:
        result = done.result
        if result is None:
            return Response(status_code=204)
        pick = Pick("", "", picks=_whole_result(type(result)))
        slots = [SlotValues({}, ())]
        body = await render(self._services, self._plans, ("rest", command.name), done, origin, pick, slots)
        if isinstance(result, Payload):
            return json_response(body, result.status)
        headers = {"location": address} if (address := _location(result)) and result.created else {}
        return json_response(body, 201 if result.created else 200, headers)


def _whole_result(kind: Any) -> tuple[Pick, ...]:
    return whole_payload(kind) if issubclass(kind, Payload) else whole(kind)


def _location(view: View) -> str | None:
    """The address of one row of a view, where a query gives it by its id alone."""
    for query in QUERIES.values():
        names = [each.name for each in query.arguments.parameters]
        if query.view is type(view) and not query.paged and names == ["id"] and query.route.places == ("id",):
            return query.route.template.replace("{id}", str(view.row_id))
    return None


def _with_places(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that stand in the path, and the others. Raises BadInput for one that is given again."""
    places = {camel(name): value for name, value in request.path_params.items()}
    for name in places.keys() & given.keys():
        raise BadInput.field(name, "is part of the address and cannot be given again")
    return {**places, **given}


def _paging(query: Query, given: dict[str, Any]) -> dict[str, Any]:
    """Filters stand flat in an address; put them where the query expects them."""
    if not query.paged:
        return given
    own = {each.key for each in query.arguments.parameters}
    known = (*PAGE_NAMES, *own)
    filters = {name: value for name, value in given.items() if name in query.view.filters and name not in known}
    rest = {name: value for name, value in given.items() if name not in filters}
    if "filter" in rest:
        raise BadInput.field("filter", "is spread over the address here; write its fields as parameters of their own")
    return {**rest, "filter": filters} if filters else rest


async def _command_arguments(command: Command, request: Request) -> tuple[dict[str, Any], bool]:
    """The arguments from path and body, or from path and query string; and whether all of them are text."""
    if not command.route.sends_body:
        return _with_places(request, query_string(request)), True
    body = await read_json(request)
    if any(each.name == "input" for each in command.arguments.parameters):
        return _with_places(request, {"input": {} if body is None else body}), False
    if body is not None and not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    return _with_places(request, body or {}), False

"""The endpoints: from a request over a declared command or query to the answer."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as HttpRoute

from muster.kit.caller import Origin, whoever
from muster.kit.commands.batch import Batch
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.commands.context import Services
from muster.kit.commands.idempotency import REPLAYED
from muster.kit.commands.run import run_batch
from muster.kit.db.replicas import Rows
from muster.kit.endpoints.accept import preferred
from muster.kit.endpoints.address import Address, Serve
from muster.kit.endpoints.deprecations import Told, telling
from muster.kit.endpoints.edge import Edge
from muster.kit.endpoints.graphql.limits import DEVELOPMENT, PRODUCTION, check_cost
from muster.kit.endpoints.http import (
    NotAcceptable,
    json_response,
    problem_response,
    query_string,
    readable_response,
)
from muster.kit.endpoints.keys import key_of
from muster.kit.endpoints.packing import LEAST, packed
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.endpoints.rates import tell_rates
from muster.kit.endpoints.rest.arguments import query_arguments, read_call, with_places
from muster.kit.endpoints.rest.batch import PATH, Batches
from muster.kit.endpoints.rest.conditions import HEADER, Conditions, check_overwrites
from muster.kit.endpoints.rest.include import (
    COUNT,
    FIRST_OF_EACH,
    FIRST_OF_ONE,
    NAME,
    Include,
    read_count,
    read_include,
    widened,
)
from muster.kit.endpoints.rest.results import Results
from muster.kit.endpoints.tags import is_versioned, tag_of
from muster.kit.errors import NotFound
from muster.kit.limits import Limit
from muster.kit.views.compiler import Compiler
from muster.kit.views.picks import Pick, SlotValues, page_of, whole
from muster.kit.views.plans import compile_plan, plans_of, run_plan
from muster.kit.views.query import QUERIES, Query

Endpoint = Callable[[Request, Origin], Awaitable[Response]]


class Rest:
    """The REST endpoints of everything that is declared."""

    def __init__(self, services: Services, edge: Edge) -> None:
        self._services = services
        self._edge = edge
        self._plans = plans_of("reads over REST", services.gate)
        self._results = Results(services)
        self._conditions = Conditions(services)
        self._limits = PRODUCTION if services.settings.is_production else DEVELOPMENT

    def routes(self) -> list[HttpRoute]:
        """The routes; those with fewer places first, so that `members/me` is found before `members/{userId}`."""
        addresses: dict[str, dict[str, Serve]] = defaultdict(dict)
        declared: list[Command | Query] = [*COMMANDS.values(), *QUERIES.values()]
        for each in sorted(declared, key=lambda each: (len(each.route.places), each.route.path)):
            addresses[each.route.template][each.route.method] = self._guarded(each)
        addresses[PATH]["POST"] = self._served(Batches(self._services, self._results, self._conditions).serve)
        return [HttpRoute(template, Address(methods)) for template, methods in addresses.items()]

    def _guarded(self, declared: Command | Query) -> Serve:
        inner = self._command(declared) if isinstance(declared, Command) else self._query(declared)
        tell = telling(declared)
        return self._served(
            inner if tell is None else _told(inner, tell), (declared.limit,), is_for_whoever=declared.allow is whoever
        )

    def _served(self, inner: Endpoint, limits: Sequence[Limit] = (), *, is_for_whoever: bool = False) -> Serve:
        """limits: drawn from before anything else; without any, the endpoint draws itself."""
        limiter = self._services.limiter

        async def endpoint(request: Request) -> Response:
            request_id: str = request.state.request_id
            try:
                if preferred(request.headers.get("accept"), ("application/json",)) is None:
                    raise NotAcceptable
                origin = await self._edge.origin(request, request_id=request_id, whoever=is_for_whoever)
                if limits:
                    await limiter.draw(limits, origin)
                return tell_rates(await inner(request, origin), origin)
            except Exception as error:  # noqa: BLE001 - every failure becomes a problem document
                told = as_rest_writes_it(client_error(error))
                if told.status == 401 and not is_for_whoever:
                    told.headers = {**told.headers, **self._edge.cookies.forgotten(request)}
                return problem_response(told, request_id)

        return endpoint

    def _query(self, query: Query) -> Endpoint:
        row, versioned = whole(query.view), not query.paged and is_versioned(query.view)
        usual = [Pick("", "", 0, row)]
        if query.paged:
            usual = [page_of(row, 0, counted=counted) for counted in (False, True)]

        async def endpoint(request: Request, origin: Origin) -> Response:
            given = with_places(request.path_params, query_string(request))
            include = read_include(query.view, given.pop(NAME, None))
            counted = query.paged and read_count(given.pop(COUNT, None))
            slots = [query.read(query_arguments(query, given), from_text=True)]
            pick = self._widened(query, include, slots, counted=counted) if include else usual[counted]
            key = (query.name, include, counted, slots[0].shape)

            def body(compiler: Compiler) -> ColumnElement[str]:
                return query.compile(compiler, pick)

            plan = self._plans.get(key, lambda: compile_plan(self._services.gate, slots, [body]))
            rows: Rows = self._services.database
            if query.stale and self._services.replicas is not None:
                rows = await self._services.replicas.reader(origin.claim.user_id)
            caller, bodies = await run_plan(rows, plan, origin, slots)
            self._services.gate.admit(origin.claim, caller, query.allow, query.permission)
            if bodies[0] == "null":
                raise NotFound
            content = bodies[0].encode()
            tag = tag_of(bodies[0], content, versioned=versioned)
            answer = readable_response(request, content, tag, is_personal=origin.claim.user_id is not None)
            return await packed(request, answer) if len(content) >= LEAST else answer

        return endpoint

    def _widened(self, query: Query, include: Include, slots: list[SlotValues], *, counted: bool) -> Pick:
        """What the answer holds; included pages add their slots. Raises BadInput when that is too much."""
        row = widened(query.view, include, slots, first=FIRST_OF_EACH if query.paged else FIRST_OF_ONE)
        pick = page_of(row, 0, counted=counted) if query.paged else Pick("", "", 0, row)
        check_cost((pick,), slots, self._limits, path=NAME)
        return pick

    def _command(self, command: Command) -> Endpoint:
        cookies = self._edge.cookies
        check_overwrites(command)

        async def endpoint(request: Request, origin: Origin) -> Response:
            call = self._conditions.on(await read_call(command, request), request.headers.get(HEADER), origin)
            (done,) = await run_batch(self._services, Batch([call], origin, key_of(request)))
            shown, session = cookies.after(request, command, done.result)
            result = await self._results.read(call, replace(done, result=shown), origin)
            headers = {**result.headers, **session, **(REPLAYED if done.replayed else {})}
            if result.body is None:
                return Response(status_code=result.status, headers=headers)
            return json_response(result.body, result.status, headers)

        return endpoint


def _told(inner: Endpoint, tell: Told) -> Endpoint:
    async def endpoint(request: Request, origin: Origin) -> Response:
        return tell(await inner(request, origin), origin)

    return endpoint

"""`POST /api/v1/batch`: operations of REST in one transaction. All of them happen, or none does."""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Annotated, Any
from urllib.parse import unquote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from muster.kit.arguments import Input, read_struct
from muster.kit.caller import Origin
from muster.kit.commands.batch import Batch, Call
from muster.kit.commands.command import COMMANDS
from muster.kit.commands.context import Services
from muster.kit.commands.idempotency import REPLAYED
from muster.kit.commands.run import run_batch
from muster.kit.endpoints.http import NoSuchAddress, json_response, read_fields, read_json
from muster.kit.endpoints.keys import key_of
from muster.kit.endpoints.problem import as_rest_writes_it, client_error
from muster.kit.endpoints.rest.arguments import call_of
from muster.kit.endpoints.rest.conditions import Conditions
from muster.kit.endpoints.rest.results import Result, Results
from muster.kit.endpoints.tags import LONGEST
from muster.kit.errors import AppError
from muster.kit.route import Route

PATH = "/api/v1/batch"
MOST_OPERATIONS = 50
"""More in one transaction would keep others waiting."""

Tags = Annotated[str, msgspec.Meta(max_length=LONGEST, examples=['"7-f1d2d2f924e986ac86fdf7b3"'])]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class BatchMethod(StrEnum):
    """What a batch takes."""

    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


class BatchOperation(Input):
    """One request of a batch.

    method: of HTTP. path: with its query string, if any. body: as the request by itself would have. id: given back with
    its result. if_match: as the header `If-Match` of a request by itself.
    """

    method: BatchMethod
    path: Annotated[str, msgspec.Meta(max_length=2000, examples=["/api/v1/notifications/reading"])]
    body: Any = msgspec.UNSET
    id: Id | None = None
    if_match: Tags | None = None


class BatchInput(Input):
    """What happens as a whole. operations: in this order."""

    operations: Annotated[list[BatchOperation], msgspec.Meta(min_length=1, max_length=MOST_OPERATIONS)]


class Batches:
    """Serves batches."""

    def __init__(self, services: Services, results: Results, conditions: Conditions) -> None:
        self._services = services
        self._conditions = conditions
        self._results = results
        # As the router has it: `members/me` is found before `members/{userId}`.
        self._commands = sorted(COMMANDS.values(), key=lambda each: len(each.route.places))

    async def serve(self, request: Request, origin: Origin) -> Response:
        """Run one batch. Raises AppError, with the operation at fault among its details."""
        body = await read_json(request)
        operations = read_struct({} if body is msgspec.UNSET else {"input": body}, _Body).input.operations
        batch = Batch([], origin, key_of(request))
        try:
            for batch.at, operation in enumerate(operations):
                call = self._call(operation)
                batch.calls.append(self._conditions.on(call, operation.if_match, origin, "ifMatch"))
            await self._services.limiter.draw([each.command.limit for each in batch.calls], origin)
            done = await run_batch(self._services, batch)
        except Exception as error:
            raise _blamed(client_error(error), batch.at, operations[batch.at]) from error
        results = [
            _written(operation, await self._results.read(call, each, origin))
            for operation, call, each in zip(operations, batch.calls, done, strict=True)
        ]
        headers = REPLAYED if done[0].replayed else {}
        return json_response(msgspec.json.encode({"results": results}), headers=headers)

    def _call(self, operation: BatchOperation) -> Call:
        path, _, query = operation.path.partition("?")
        for command in self._commands:
            if command.route.method == operation.method and (found := _pattern(command.route)(path)) is not None:
                places = {name: unquote(value) for name, value in found.groupdict().items()}
                return call_of(command, places, query=read_fields(query.encode()), body=operation.body)
        raise NoSuchAddress("There is no operation with this method at this path that a batch could run.")


class _Body(msgspec.Struct):
    input: BatchInput


@cache
def _pattern(route: Route) -> Callable[[str], re.Match[str] | None]:
    """What finds the places in a path of this route."""
    pattern = re.escape(route.template).replace(r"\{", "{").replace(r"\}", "}")
    return re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", pattern)).fullmatch


def _blamed(error: AppError, at: int, operation: BatchOperation) -> AppError:
    told = as_rest_writes_it(error)
    named = {} if operation.id is None else {"id": operation.id}
    blamed = {"index": at, "method": operation.method, "path": operation.path, **named}
    told.details = {**told.details, "operation": blamed}
    return told


def _written(operation: BatchOperation, result: Result) -> dict[str, Any]:
    written: dict[str, Any] = {} if operation.id is None else {"id": operation.id}
    written["status"] = result.status
    if "location" in result.headers:
        written["location"] = result.headers["location"]
    if result.body is not None:
        written["body"] = msgspec.Raw(result.body.encode())
    return written

"""What a REST request gives for the arguments of a declaration: from path, query string and body."""

from typing import Any

import msgspec
from starlette.requests import Request

from muster.kit.commands.command import Command
from muster.kit.endpoints.http import query_string, read_json
from muster.kit.errors import BadInput
from muster.kit.text import camel
from muster.kit.views.page_arguments import PAGE_NAMES
from muster.kit.views.query import Query


def query_arguments(query: Query, given: dict[str, Any]) -> dict[str, Any]:
    """What a query reads. Filters stand flat in an address; they are put where the query expects them.

    Raises BadInput for `filter` itself.
    """
    if not query.paged:
        return given
    own = {each.key for each in query.arguments.parameters}
    known = (*PAGE_NAMES, *own)
    filters = {name: value for name, value in given.items() if name in query.view.filters and name not in known}
    rest = {name: value for name, value in given.items() if name not in filters}
    if "filter" in rest:
        raise BadInput.field("filter", "is spread over the address here; write its fields as parameters of their own")
    return {**rest, "filter": filters} if filters else rest


async def command_arguments(command: Command, request: Request) -> tuple[dict[str, Any], bool]:
    """The arguments from path and body, or from path and query string; and whether all of them are text."""
    if not command.route.sends_body:
        return with_places(request, query_string(request)), True
    body = await read_json(request)
    if body is msgspec.UNSET:
        body = {}
    if any(each.name == "input" for each in command.arguments.parameters):
        return with_places(request, {"input": body}), False
    if not isinstance(body, dict):
        raise BadInput("The body must be a JSON object.")
    return with_places(request, body), False


def with_places(request: Request, given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that stand in the path, and the others. Raises BadInput for one that is given again."""
    places = {camel(name): value for name, value in request.path_params.items()}
    for name in places.keys() & given.keys():
        raise BadInput.field(name, "is part of the address and cannot be given again")
    return {**places, **given}

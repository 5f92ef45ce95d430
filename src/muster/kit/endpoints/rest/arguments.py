"""What a REST request gives for the arguments of a declaration: from path, query string and body."""

from typing import Any

import msgspec
from starlette.requests import Request

from muster.kit.commands.batch import Call
from muster.kit.commands.command import Command
from muster.kit.endpoints.http import query_string, read_json
from muster.kit.errors import BadInput
from muster.kit.text import camel
from muster.kit.views.page_arguments import PAGE_NAMES
from muster.kit.views.query import Query


def query_arguments(query: Query, given: dict[str, Any]) -> dict[str, Any]:
    """What a query reads. Filters stand flat in an address, the parts of one as `near[latitude]`, the members of a list
    with commas between; they are put where the query expects them.

    Raises BadInput for `filter` itself.
    """
    if not query.paged:
        return given
    own = {each.key for each in query.arguments.parameters}
    known = (*PAGE_NAMES, *own)
    filters: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in given.items():
        whole, part = _split(name)
        if whole in known or whole not in query.view.filters:
            rest[name] = value
        elif part is None and whole not in filters:
            filters[whole] = value.split(",") if query.view.filters[whole].takes_several else value
        elif part is not None and isinstance(filters.setdefault(whole, {}), dict):
            filters[whole][part] = value
        else:
            # Given whole and in parts: what comes second is refused as a name that nothing has.
            rest[name] = value
    if "filter" in rest:
        raise BadInput.field("filter", "is spread over the address here; write its fields as parameters of their own")
    return {**rest, "filter": filters} if filters else rest


def _split(name: str) -> tuple[str, str | None]:
    """The name of a parameter, and of the part of it that it gives: `near[latitude]`."""
    whole, bracket, part = name.partition("[")
    return (whole, part.removesuffix("]")) if bracket and part.endswith("]") else (name, None)


async def read_call(command: Command, request: Request) -> Call:
    """The call that a request makes. Raises BadInput, Invalid."""
    if command.route.sends_body:
        return call_of(command, request.path_params, body=await read_json(request))
    return call_of(command, request.path_params, query=query_string(request))


def call_of(
    command: Command, places: dict[str, str], *, query: dict[str, str] | None = None, body: Any = msgspec.UNSET
) -> Call:
    """A call with arguments from path and body, or from path and query string.

    places: what the path gives. query: all of it is text. body: `msgspec.UNSET` when there is none.
    """
    if not command.route.sends_body:
        return Call(command, command.arguments.read(with_places(places, query or {}), from_text=True))
    given = {} if body is msgspec.UNSET else body
    if any(each.name == "input" for each in command.arguments.parameters):
        given = {"input": given}
    if not isinstance(given, dict):
        raise BadInput("The body must be a JSON object.")
    return Call(command, command.arguments.read(with_places(places, given)))


def with_places(places: dict[str, str], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments that stand in the path, and the others. Raises BadInput for one that is given again."""
    named = {camel(name): value for name, value in places.items()}
    for name in named.keys() & given.keys():
        raise BadInput.field(name, "is part of the address and cannot be given again")
    return {**named, **given}

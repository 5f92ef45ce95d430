"""Where what a command has made, or is about, can be read."""

from collections.abc import Mapping

import msgspec
from msgspec import NODEFAULT

from muster.kit.commands.command import Command
from muster.kit.text import camel
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.view import View


def location_of(command: Command) -> Query | None:
    """The query that reads what a command makes: by its id alone, by the arguments of the command or by those in its input."""
    return _reading(command, {"id", *_names(command), *_names_in_input(command)})


def read_back(command: Command) -> Query | None:
    """The query that reads what a command is about, by arguments of the command."""
    return _reading(command, _names(command))


def stands_at(query: Query, command: Command) -> bool:
    """Whether the query reads at the very address that the command changes."""
    return command.route.method == "PATCH" and command.route.template == query.route.template


def _reading(command: Command, known: set[str]) -> Query | None:
    """The query that reads one row of what the command returns, with nothing but places; the one with most of them."""
    found = [
        query
        for query in QUERIES.values()
        if query.view is command.returns and not query.paged and _needed(query) == set(query.route.places) <= known
    ]
    return max(found, key=lambda query: len(query.route.places), default=None)


def _needed(query: Query) -> set[str]:
    """The arguments that a query cannot do without."""
    return {each.name for each in query.arguments.parameters if each.default is NODEFAULT}


def _names(declared: Command | Query) -> set[str]:
    return {each.name for each in declared.arguments.parameters}


def _names_in_input(command: Command) -> set[str]:
    """What a command is given within its input, such as the slug of what it makes."""
    inputs = [each.type for each in command.arguments.parameters if each.name == "input"]
    return {each.name for kind in inputs for each in msgspec.structs.fields(kind)}


def address_of(query: Query, made: View, arguments: Mapping[str, object]) -> str:
    """The address of a row that a command with these arguments has made."""
    address = query.route.template
    for place in query.route.places:
        given = arguments[place] if place in arguments else getattr(arguments.get("input"), place, None)
        value = made.row_id if place == "id" else given
        address = address.replace(f"{{{camel(place)}}}", str(value))
    return address

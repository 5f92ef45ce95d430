"""Where what a command has made can be read."""

from collections.abc import Mapping

from muster.kit.commands.command import Command
from muster.kit.text import camel
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.view import View


def location_of(command: Command) -> Query | None:
    """The query that reads back what a command makes: by its id alone, or by the arguments of the command."""
    known = {"id"} | {each.name for each in command.arguments.parameters}
    for query in QUERIES.values():
        names = {each.name for each in query.arguments.parameters}
        if query.view is command.returns and not query.paged and names == set(query.route.places) <= known:
            return query
    return None


def address_of(query: Query, made: View, arguments: Mapping[str, object]) -> str:
    """The address of a row that a command with these arguments has made."""
    address = query.route.template
    for place in query.route.places:
        value = made.row_id if place == "id" else arguments[place]
        address = address.replace(f"{{{camel(place)}}}", str(value))
    return address

"""The GraphQL schema, from what the slices declare."""

from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    assert_valid_schema,
)

from muster.kit.commands.command import COMMANDS, Command
from muster.kit.declaration import Declaration
from muster.kit.deprecation import reason_of
from muster.kit.endpoints.graphql.types import (
    CURSOR,
    READS,
    arguments,
    connection_type,
    non_null,
    page_arguments,
    payload_type,
    view_type,
)
from muster.kit.realtime.signals import shown
from muster.kit.realtime.subscription import SUBSCRIPTIONS, FactSubscription, Subscription
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.results import Payload
from muster.kit.views.view import View


def build_schema() -> GraphQLSchema:
    """The schema of everything that is declared by now. Raises TypeError when it is not valid."""
    queries = {name: _query(each) for name, each in QUERIES.items()}
    mutations = {name: _mutation(each) for name, each in COMMANDS.items()}
    streams = {name: _subscription(each) for name, each in SUBSCRIPTIONS.items()}
    schema = GraphQLSchema(
        GraphQLObjectType("Query", queries, description="What can be read; in one statement, however much is asked."),
        GraphQLObjectType("Mutation", mutations, description="What can be done, one after the other."),
        GraphQLObjectType(
            "Subscription", streams, description="What can be followed live, over `graphql-transport-ws`."
        ),
    )
    assert_valid_schema(schema)
    return schema


def _description(declared: Declaration) -> str:
    told = declared.documentation
    return f"{told.summary}\n\n{told.description}" if told.description else told.summary


def _query(query: Query) -> GraphQLField:
    taken = arguments(query)
    if query.paged:
        taken |= page_arguments(query.view)
    # A list within something is null when the caller may not see that; a list of its own is never null.
    kind = non_null(connection_type(query.view), query.within_parent) if query.paged else view_type(query.view)
    return GraphQLField(
        kind,
        taken,
        description=_description(query),
        deprecation_reason=reason_of(query.deprecated),
        extensions={READS: query.read},
    )


def _mutation(command: Command) -> GraphQLField:
    return GraphQLField(
        _result_type(command.returns),
        arguments(command),
        description=_description(command),
        deprecation_reason=reason_of(command.deprecated),
    )


def _result_type(returns: Any) -> Any:
    if returns is type(None):
        return GraphQLBoolean
    if issubclass(returns, Payload):
        return payload_type(returns)
    if issubclass(returns, View):
        return view_type(returns)
    raise TypeError(f"a command returns a view, a payload or None, not {returns!r}")


def _subscription(subscription: Subscription) -> GraphQLField:
    taken = arguments(subscription)
    if isinstance(subscription, FactSubscription):
        taken["after"] = GraphQLArgument(CURSOR, description="The cursor of the last element that was seen.")
    return GraphQLField(
        GraphQLNonNull(_element_type(subscription)),
        taken,
        description=_description(subscription),
        deprecation_reason=reason_of(subscription.deprecated),
    )


def _element_type(subscription: Subscription) -> Any:
    if not isinstance(subscription, FactSubscription):
        return _result_type(shown(subscription))
    return GraphQLObjectType(
        subscription.type_name,
        {
            "cursor": GraphQLField(GraphQLNonNull(CURSOR), description="Hand it back as `after` to go on from here."),
            subscription.gives: GraphQLField(GraphQLNonNull(view_type(subscription.view))),
        },
        description=f"An element of `{subscription.name}`.",
    )

"""Selections: from the fields of a GraphQL operation to picks, and the arguments that each run reads anew."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues, get_argument_values

from muster.kit.endpoints.graphql.errors import BadOperation
from muster.kit.endpoints.graphql.types import READS
from muster.kit.errors import BadInput
from muster.kit.views.picks import Pick, SlotValues

_NOTHING = SlotValues({}, ())


@dataclass(frozen=True)
class Source:
    """Where the arguments of one slot come from."""

    field: GraphQLField
    node: FieldNode
    reads: Callable[[dict[str, object]], SlotValues]

    def read(self, variables: VariableValues) -> SlotValues:
        """The slot's values for one run. Raises BadInput or Invalid."""
        if not self._takes_variables:
            return self._always
        plain = self._plain(variables.coerced)
        return self.reads(argument_values(self.field, self.node, variables) if plain is None else plain)

    def _plain(self, values: dict[str, object]) -> dict[str, object] | None:
        """The arguments when each is a variable that has a value, as in nearly all documents: the same as the library
        finds, for a tenth of its cost. None when there is more to it.
        """
        found = {name: values.get(variable) for name, variable in self._variables.items()}
        return None if not found or None in found.values() else found

    @cached_property
    def _variables(self) -> dict[str, str]:
        """The variables that the arguments consist of; empty when any is something else, or has a default."""
        written = {each.name.value: each.value for each in self.node.arguments or ()}
        if any(name not in written and each.default_value is not Undefined for name, each in self.field.args.items()):
            return {}
        if not all(isinstance(value, VariableNode) for value in written.values()):
            return {}
        return {name: value.name.value for name, value in written.items() if isinstance(value, VariableNode)}

    @cached_property
    def _takes_variables(self) -> bool:
        return any(_holds_variable(each.value) for each in self.node.arguments or ())

    @cached_property
    def _always(self) -> SlotValues:
        """What is written in the document does not change from run to run."""
        return self.reads(argument_values(self.field, self.node, VariableValues({}, {})))


def _holds_variable(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(_holds_variable(each) for each in value.values)
    if isinstance(value, ObjectValueNode):
        return any(_holds_variable(each.value) for each in value.fields)
    return isinstance(value, VariableNode)


def argument_values(field: GraphQLField, node: FieldNode, variables: VariableValues) -> dict[str, object]:
    """A field's arguments by their names on the wire. Raises BadOperation when they do not fit their types."""
    try:
        return get_argument_values(field, node, variables)
    except GraphQLError:
        # The document is valid, so a variable is null; the library's own words name types, which may not be told.
        told = GraphQLError(f"An argument of `{node.name.value}` is null or left out, and may not be.", node)
        raise BadOperation([told]) from None


@dataclass(frozen=True)
class Root:
    """One root field: its key in the answer, its name, its field, its nodes (one for each time it is written; they
    merge), and its picks.
    """

    key: str
    name: str
    field: GraphQLField | None
    nodes: tuple[FieldNode, ...]
    pick: Pick

    @property
    def node(self) -> FieldNode:
        """Where its arguments stand; every node has the same."""
        return self.nodes[0]


@dataclass
class Selection:
    """The picks of one operation. `sources` fill the slots; None is a slot that the caller fills. used: fields by their
    coordinates, such as `Event.title`.
    """

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDetails]
    variables: VariableValues
    sources: list[Source | None] = field(default_factory=list)
    used: dict[str, GraphQLField] = field(default_factory=dict)

    def roots(self) -> list[tuple[str, list[FieldDetails]]]:
        """The root fields by their keys, fragments and directives resolved."""
        kind = self.schema.get_root_type(self.operation.operation)
        if kind is None:
            raise BadInput(f"query: there are no {self.operation.operation.value} operations here.")
        collected = collect_fields(self.schema, self.fragments, self.variables, kind, self.operation)
        return list(collected.grouped_field_set.items())

    def root(self, key: str, details: list[FieldDetails]) -> Root:
        """One root field with its picks."""
        kind = self.schema.get_root_type(self.operation.operation)
        nodes = tuple(each.node for each in details)
        name = nodes[0].name.value
        found = None if kind is None else kind.fields.get(name)
        if kind is not None and found is not None:
            self.used[f"{kind.name}.{name}"] = found
        pick = Pick(key, name) if found is None else self._pick(key, found, details)
        return Root(key, name, found, nodes, pick)

    def fill_slot(self) -> None:
        """Reserve the next slot for values that do not come from arguments."""
        self.sources.append(None)

    def _pick(self, key: str, found: GraphQLField, details: list[FieldDetails]) -> Pick:
        node = details[0].node
        slot = None
        if (reads := found.extensions.get(READS)) is not None:
            slot = len(self.sources)
            self.sources.append(Source(found, node, reads))
        kind = get_named_type(found.type)
        if isinstance(kind, GraphQLUnionType):
            kinds = tuple((each.name, self._inside(each, details)) for each in kind.types)
            return Pick(key, node.name.value, slot, kinds=kinds)
        picks = self._inside(kind, details) if isinstance(kind, GraphQLObjectType) else ()
        return Pick(key, node.name.value, slot, picks)

    def _inside(self, kind: GraphQLObjectType, details: list[FieldDetails]) -> tuple[Pick, ...]:
        collected = collect_subfields(
            self.schema, self.fragments, self.variables, self.operation, kind, details
        ).grouped_field_set
        picks = []
        for key, inner in collected.items():
            name = inner[0].node.name.value
            found = kind.fields.get(name)
            if found is not None:
                self.used[f"{kind.name}.{name}"] = found
            picks.append(Pick(key, name) if found is None else self._pick(key, found, inner))
        return tuple(picks)


def read_slots(sources: Sequence[Source | None], variables: VariableValues) -> list[SlotValues]:
    """The values of every slot for one run."""
    return [_NOTHING if source is None else source.read(variables) for source in sources]

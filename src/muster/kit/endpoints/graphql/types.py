"""GraphQL types of views, payloads, inputs and arguments."""

import types
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import msgspec
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
    GraphQLUnionType,
    Undefined,
)

from muster.kit.db.tables import Json
from muster.kit.declaration import Declaration
from muster.kit.deprecation import reason_of
from muster.kit.documentation import meaning_of_type, meanings_of
from muster.kit.remembered import remembered
from muster.kit.views.fields import Field, Leaf, ToOne, ToUnion, fields_of, split_optional
from muster.kit.views.page_arguments import filter_struct, order_names, read_page
from muster.kit.views.paging import DEFAULT_SIZE, LARGEST_SIZE
from muster.kit.views.picks import SlotValues
from muster.kit.views.results import Payload, listed_payload, payload_fields
from muster.kit.views.view import UnionView, View

READS = "reads"
"""The key of a field's extension that reads its arguments: from wire values to `SlotValues`."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a string")
    return value


def _scalar(name: str, description: str, specified_by: str | None = None) -> GraphQLScalarType:
    return GraphQLScalarType(name, parse_value=_text, description=description, specified_by_url=specified_by)


_RFC = "https://www.rfc-editor.org/rfc/rfc"
DATE_TIME = _scalar("DateTime", "A moment with its offset, in ISO 8601; answers are in UTC.", f"{_RFC}3339")
UUID_TYPE = _scalar("UUID", "A UUID.", f"{_RFC}9562")
CURSOR = _scalar("Cursor", "An opaque place in a list or stream; hand it back unchanged.")
JSON = GraphQLScalarType("JSON", description="Any JSON value.", specified_by_url=f"{_RFC}8259")

_SCALARS: dict[Any, Any] = {
    str: GraphQLString,
    int: GraphQLInt,
    float: GraphQLFloat,
    bool: GraphQLBoolean,
    UUID: UUID_TYPE,
    datetime: DATE_TIME,
    Json: JSON,
    list[str]: GraphQLList(GraphQLNonNull(GraphQLString)),
    list[UUID]: GraphQLList(GraphQLNonNull(UUID_TYPE)),
}


@remembered
def enum_type(values: type[StrEnum]) -> GraphQLEnumType:
    """An enumeration; its values are their names."""
    name = values.__qualname__
    return GraphQLEnumType(name, {each.value: each.value for each in values}, description=_first_line(values))


def _first_line(documented: object) -> str | None:
    text = (getattr(documented, "__doc__", None) or "").strip()
    return text.split("\n", 1)[0] or None


def _scalar_or_enum(kind: Any) -> Any:
    return enum_type(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else _SCALARS[kind]


def non_null(kind: Any, nullable: bool) -> Any:
    """The type, or its non-null form."""
    return kind if nullable else GraphQLNonNull(kind)


def input_type(annotation: Any) -> GraphQLInputType:
    """The input type of a Python annotation; what msgspec constrains further is checked after coercion."""
    if get_origin(annotation) is Annotated:
        return input_type(get_args(annotation)[0])
    if get_origin(annotation) in (types.UnionType, Union):
        inner = [each for each in get_args(annotation) if each not in (type(None), msgspec.UnsetType)]
        found = input_type(inner[0])
        return found.of_type if isinstance(found, GraphQLNonNull) else found
    if get_origin(annotation) is list:
        return GraphQLNonNull(GraphQLList(input_type(get_args(annotation)[0])))
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return GraphQLNonNull(input_object(annotation))
    found = _scalar_or_enum(annotation)
    return GraphQLNonNull(found)


@remembered
def input_object(struct: type[msgspec.Struct]) -> GraphQLInputObjectType:
    """The input object of a struct."""
    told = meanings_of(struct)

    def fields() -> dict[str, GraphQLInputField]:
        return {
            each.encode_name: GraphQLInputField(
                *_with_default(input_type(each.type), _default_of(each)),
                told.get(each.encode_name) or meaning_of_type(each.type),
            )
            for each in msgspec.structs.fields(struct)
        }

    name = struct.__name__ if struct.__name__.endswith(("Input", "Filter")) else f"{struct.__name__}Input"
    return GraphQLInputObjectType(name, fields, description=_first_line(struct))


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    """What a field is when it is absent; for a list msgspec has only what makes it."""
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _with_default(kind: Any, default: Any) -> tuple[Any, Any]:
    if default is msgspec.NODEFAULT:
        return kind, Undefined
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return (
        (inner, Undefined)
        if default in (None, msgspec.UNSET)
        else (inner, str(default) if isinstance(default, StrEnum) else default)
    )


def arguments(declared: Declaration) -> dict[str, GraphQLArgument]:
    """The arguments of a command, query or subscription."""
    told = declared.documentation.arguments
    return {
        each.key: GraphQLArgument(
            *_with_default(input_type(each.type), each.default), told.get(each.name) or meaning_of_type(each.type)
        )
        for each in declared.arguments.parameters
    }


_SIZES = f"0 to {LARGEST_SIZE}, {DEFAULT_SIZE} when absent"


def page_arguments(view: type[View]) -> dict[str, GraphQLArgument]:
    """The arguments of a list of `view`."""
    found = {
        "first": GraphQLArgument(GraphQLInt, description=f"How many at most: {_SIZES}."),
        "after": GraphQLArgument(CURSOR, description="Only what follows this place; goes with `first`."),
        "last": GraphQLArgument(GraphQLInt, description=f"How many at most, from the end: {_SIZES}."),
        "before": GraphQLArgument(CURSOR, description="Only what comes before this place; goes with `last`."),
    }
    if order_names(view):
        found["order"] = GraphQLArgument(order_type(view), description=f"{order_names(view)[0]} when absent.")
    if (filters := filter_struct(view)) is not None:
        found["filter"] = GraphQLArgument(input_object(filters), description="Only what fits all of it.")
    return found


@remembered
def order_type(view: type[View]) -> GraphQLEnumType:
    """The enumeration of a view's orders."""
    names = {name: name for name in order_names(view)}
    return GraphQLEnumType(f"{view.type_name()}Order", names, description=f"The orders of {view.type_name()} lists.")


PAGE_INFO = GraphQLObjectType(
    "PageInfo",
    {
        "hasNextPage": GraphQLField(GraphQLNonNull(GraphQLBoolean), description="Whether more follows."),
        "hasPreviousPage": GraphQLField(GraphQLNonNull(GraphQLBoolean), description="Whether more comes before."),
        "startCursor": GraphQLField(CURSOR, description="Where the page begins; null when it is empty."),
        "endCursor": GraphQLField(CURSOR, description="Where the page ends; null when it is empty."),
    },
    description="Where a page lies in its list.",
)


@remembered
def view_type(view: type[View]) -> GraphQLObjectType:
    """The object type of a view."""

    def fields() -> dict[str, GraphQLField]:
        return {key: _view_field(view, field) for key, field in fields_of(view).items()}

    return GraphQLObjectType(view.type_name(), fields, description=_first_line(view))


@remembered
def union_type(union: type[UnionView]) -> GraphQLUnionType:
    """The union type of a union of views."""

    def kinds() -> list[GraphQLObjectType]:
        return [view_type(view) for view in union.views.values()]

    return GraphQLUnionType(union.__name__, kinds, description=_first_line(union))


def _view_field(view: type[View], field: Field) -> GraphQLField:
    made = _field_of(view, field)
    made.deprecation_reason = reason_of(view.deprecated.get(field.key))
    return made


def _field_of(view: type[View], field: Field) -> GraphQLField:
    told = meanings_of(view).get(field.key)
    if isinstance(field, Leaf):
        return GraphQLField(non_null(_scalar_or_enum(field.type), field.nullable), description=told)
    if isinstance(field, ToOne):
        return GraphQLField(non_null(view_type(field.target), field.nullable), description=told)
    if isinstance(field, ToUnion):
        return GraphQLField(union_type(field.target), description=told)
    target, list_name = field.target, f"{view.type_name()}.{field.key}"

    def reads(raw: dict[str, object]) -> SlotValues:
        return read_page(target, list_name, raw, {})

    connection: GraphQLOutputType = GraphQLNonNull(connection_type(target))
    return GraphQLField(connection, page_arguments(target), description=told, extensions={READS: reads})


@remembered
def connection_type(view: type[View]) -> GraphQLObjectType:
    """A page of a view."""
    name = view.type_name()
    edge = GraphQLObjectType(
        f"{name}Edge",
        lambda: {
            "node": GraphQLField(GraphQLNonNull(view_type(view))),
            "cursor": GraphQLField(GraphQLNonNull(CURSOR), description="The node's place in the list."),
        },
        description=f"One of a page of {name}, with its place.",
    )
    return GraphQLObjectType(f"{name}Connection", lambda: _connection(view, edge), description=f"A page of {name}.")


def _connection(view: type[View], edge: GraphQLObjectType) -> dict[str, GraphQLField]:
    return {
        "nodes": GraphQLField(GraphQLNonNull(GraphQLList(GraphQLNonNull(view_type(view))))),
        "edges": GraphQLField(GraphQLNonNull(GraphQLList(GraphQLNonNull(edge))), description="Nodes with places."),
        "pageInfo": GraphQLField(GraphQLNonNull(PAGE_INFO)),
        "totalCount": GraphQLField(GraphQLNonNull(GraphQLInt), description="How many the whole list has."),
    }


@remembered
def payload_type(payload: type[Payload]) -> GraphQLObjectType:
    """The object type of a payload."""

    def fields() -> dict[str, GraphQLField]:
        told = meanings_of(payload)
        fields = payload_fields(payload).items()
        return {key: GraphQLField(_payload_field(kind), description=told.get(key)) for key, kind in fields}

    return GraphQLObjectType(payload.type_name(), fields, description=_first_line(payload))


def _payload_field(annotation: Any) -> Any:
    kind, is_optional = split_optional(annotation)
    if isinstance(kind, type) and issubclass(kind, View):
        return view_type(kind)
    if (listed := listed_payload(kind)) is not None:
        return GraphQLNonNull(GraphQLList(GraphQLNonNull(payload_type(listed))))
    return _scalar_or_enum(kind) if is_optional else GraphQLNonNull(_scalar_or_enum(kind))


Reads = Callable[[dict[str, object]], SlotValues]
Fields = Mapping[str, GraphQLField]

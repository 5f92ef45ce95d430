"""Whatever clients read or send says what it means, in both ways in, unless its type says so already."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    get_named_type,
    is_specified_scalar_type,
)

from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.endpoints.graphql.types import CURSOR, DATE_TIME, JSON, UUID_TYPE
from muster.main import openapi_document

Told = GraphQLField | GraphQLInputField | GraphQLArgument

SCHEMA = build_schema()
# These say how a value is written, and not which one it is.
_SAYS_LITTLE = (CURSOR, DATE_TIME, JSON, UUID_TYPE)


def _members(kind: GraphQLNamedType) -> Iterator[tuple[str, Told]]:
    if isinstance(kind, GraphQLInputObjectType):
        yield from kind.fields.items()
    elif isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        for key, field in kind.fields.items():
            yield key, field
            yield from ((f"{key}({name})", each) for name, each in field.args.items())


def _says_enough(name: str, told: Told) -> bool:
    """An id says of what by its name; objects and enumerations are described where they stand."""
    if told.description:
        return True
    kind = get_named_type(told.type)
    if kind is UUID_TYPE:
        return name.lower().rstrip(")").endswith("id")
    return not (is_specified_scalar_type(kind) or kind in _SAYS_LITTLE) and bool(kind.description)


@pytest.mark.parametrize("name", sorted(name for name in SCHEMA.type_map if not name.startswith("__")))
def test_everything_in_the_schema_says_what_it_means(name: str) -> None:
    kind = SCHEMA.type_map[name]
    assert kind.description
    assert [key for key, told in _members(kind) if not _says_enough(key, told)] == []


def _is_silent(schema: dict[str, Any]) -> bool:
    """Whether a property is a plain value of which nothing is said."""
    given = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    plain = [
        each for each in given if not {"$ref", "enum", "properties"} & each.keys() and each.get("format") != "uuid"
    ]
    return bool(plain) and "description" not in {key for each in (schema, *plain) for key in each}


def test_everything_in_the_schemas_of_rest_says_what_it_means() -> None:
    schemas = json.loads(openapi_document())["components"]["schemas"]
    properties = {
        f"{name}.{key}": told for name, each in schemas.items() for key, told in each.get("properties", {}).items()
    }
    assert len(properties) > 50
    assert [key for key, told in properties.items() if _is_silent(told)] == []

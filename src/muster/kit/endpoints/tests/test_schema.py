"""The schema says what it holds: descriptions, deprecations, and unions of what slices add to them."""

from dataclasses import replace
from datetime import date

import pytest
from graphql import GraphQLNamedType, is_specified_scalar_type, print_schema

import muster.slices  # noqa: F401 - importing it declares everything
from muster.kit.deprecation import Deprecation
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.views.query import QUERIES


def _is_described(kind: GraphQLNamedType) -> bool:
    return is_specified_scalar_type(kind) or bool(kind.description)


def test_everything_in_the_schema_says_what_it_is() -> None:
    schema = build_schema()
    ours = [each for name, each in schema.type_map.items() if not name.startswith("__")]
    assert [each.name for each in ours if not _is_described(each)] == []
    for root in (schema.query_type, schema.mutation_type, schema.subscription_type):
        assert root is not None
        assert [name for name, each in root.fields.items() if not each.description] == []


def test_what_is_deprecated_says_so_in_the_sdl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        QUERIES,
        "me",
        replace(QUERIES["me"], deprecated=Deprecation("Use `person`.", date(2026, 11, 1), date(2027, 5, 1))),
    )
    assert 'me: User @deprecated(reason: "Use `person`. It may go on 2027-05-01.")' in print_schema(build_schema())

"""With introspection off the schema cannot be recovered from errors.

The walk is that of clairvoyance (https://github.com/nikitastupin/clairvoyance): send words of a list as fields,
arguments and input fields, and read the errors for what is there, what it is called and of which type it is. Here the
list holds everything that there is, so whatever an error could give away is asked for.
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    is_specified_scalar_type,
    parse,
    validate,
)

from muster.kit.endpoints.graphql.schema import build_schema
from muster.testing.serving import Service, serving
from muster.testing.thoroughness import in_turn
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCHEMA = build_schema()
KINDS = {name: kind for name, kind in SCHEMA.type_map.items() if not name.startswith("__")}
TYPES = {name for name, kind in KINDS.items() if not is_specified_scalar_type(kind)} - {
    "Query",
    "Mutation",
    "Subscription",
}
ALIKE = "The document does not fit the schema of this service; check it against schema.graphql."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed(town: Town) -> AsyncIterator[Service]:
    """The service as production runs it."""
    async with serving(
        town.service.urls, MUSTER_ENV="production", JWT_SECRET="y" * 40, MUSTER_TRUSTED_PROXIES="127.0.0.1"
    ) as service:
        yield service


class Walker:
    """Asks, and keeps every error."""

    def __init__(self, service: Service) -> None:
        self.service, self.asked = service, 0

    async def errors(self, query: str, **variables: Any) -> list[dict[str, Any]]:
        """The errors of a document. Each request comes from another address, since this is not about rates."""
        self.asked += 1
        address = {"x-forwarded-for": f"10.0.{self.asked // 250}.{self.asked % 250}"}
        body = {"query": query, "variables": variables}
        response = await self.service.http.post("/graphql", json=body, headers=address)
        found: list[dict[str, Any]] = response.json().get("errors", [])
        return found


def words() -> set[str]:
    """Every name of a field, an argument or a value."""
    found = set()
    for kind in KINDS.values():
        if isinstance(kind, GraphQLObjectType):
            found |= {*kind.fields, *(name for each in kind.fields.values() for name in each.args)}
        elif isinstance(kind, GraphQLInputObjectType):
            found |= {*kind.fields}
        elif isinstance(kind, GraphQLEnumType):
            found |= {*kind.values}
    return found


def probes() -> Iterator[str]:
    """Documents that make a server speak: what is missing, what is too much, what is almost right."""
    for operation, root in (
        ("query", SCHEMA.query_type),
        ("mutation", SCHEMA.mutation_type),
        ("subscription", SCHEMA.subscription_type),
    ):
        assert root is not None
        for name, each in root.fields.items():
            yield f"{operation} {{ {name} }}"
            yield f"{operation} {{ {name} {{ nothing }} }}"
            yield f"{operation} {{ {name}s {name[:-1]} {name.upper()} }}"
            yield f"{operation} {{ {name}(nothing: 1) {{ nothing }} }}"
            yield from (f"{operation} {{ {name}({key}: {{nothing: [7]}}) {{ nothing }} }}" for key in each.args)
            yield from (f"{operation} ($x: Nothing) {{ {name}({key}: $x) {{ nothing }} }}" for key in each.args)
    yield from (
        "{ __schema { types { name } } }",
        '{ __type(name: "User") { name } }',
        "{ ...F } fragment F on Query { __schema { queryType { name } } }",
    )
    yield from (
        "{ ... on Nothing { x } }",
        "{ ... on Usr { id } }",
        "{ me { ... on Event { id } } }",
        "query ($x: EventInput) { me { id } }",
    )


def does_not_fit(query: str) -> bool:
    """Whether production refuses a document. Some probes happen to fit; who sends those is told to sign in."""
    return "__" in query or bool(validate(SCHEMA, parse(query)))


def mentioned(error: dict[str, Any], query: str) -> set[str]:
    """The names of types in an error that whoever asked has not written themself."""
    text = re.sub(
        r"https?://\S+",
        "",
        str(error.get("message")) + str(error["extensions"].get("detail")) + str(error["extensions"].get("errors")),
    )
    return {each for each in re.findall(r"\w+", text) if each in TYPES and each not in query}


async def test_every_document_that_does_not_fit_is_told_the_same(closed: Service) -> None:
    """A part of them each day, all of them before a release."""
    walker = Walker(closed)
    for query in filter(does_not_fit, in_turn([*probes()], number=0, most=800)):
        told = await walker.errors(query)
        assert told, query
        for error in told:
            assert (error["message"], "locations" in error) == (ALIKE, False), query
            assert error["extensions"]["errors"] == []
    assert walker.asked > 300


async def test_a_list_of_words_at_once_tells_none_from_another(closed: Service) -> None:
    """Right and wrong words side by side: an error that told the wrong ones apart would tell the right ones."""
    walker, known = Walker(closed), sorted(words())
    for start in range(0, len(known), 16):
        query = "{ " + " ".join(known[start : start + 16]) + " }"
        assert [error["message"] for error in await walker.errors(query)] == [ALIKE]


async def test_variables_tell_nothing_of_their_types(closed: Service) -> None:
    walker = Walker(closed)
    documents: dict[str, tuple[object, ...]] = {
        "mutation ($x: CreateEventInput!) { createEvent(input: $x) { id } }": (
            {},
            [],
            5,
            {"titel": 1},
            {"title": 5},
            None,
        ),
        "query ($x: EventFilter) { events(filter: $x) { totalCount } }": ({"nothing": 1}, {"joinMode": "OPENN"}, 5),
        "query ($x: UUID!) { event(id: $x) { id } }": (5, None, {}),
        "query ($x: Int = 1) { events(first: $x) { totalCount } }": ("1", 2**40, {}),
        "query ($x: Boolean = true) { events @include(if: $x) { totalCount } }": (None, 1),
    }
    for query, values in documents.items():
        for value in values:
            told = await walker.errors(query, x=value)
            assert told, (query, value)
            for error in told:
                assert mentioned(error, query) == set(), (query, value)
                assert not re.search(
                    r"did you mean|required type|is not defined|of type", error["message"], re.IGNORECASE
                )


async def test_the_walk_would_find_the_schema_where_it_is_open(town: Town) -> None:
    """So the tests above look where something could be found."""
    walker = Walker(town.service)
    found: set[str] = set()
    for query in list(probes())[:200]:
        for error in await walker.errors(query):
            found |= mentioned(error, query)
    assert len(found) > 10
    assert get_named_type(GraphQLArgument(SCHEMA.get_type("UUID")).type).name in found  # type: ignore[arg-type]  # as it is

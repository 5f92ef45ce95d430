"""The whole language, as clients write it: fragments, directives, defaults and coercion mean what the standard says."""

import json
from typing import Any

import pytest
from graphql import get_introspection_query

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.graphql.schema import build_schema
from muster.testing.people import Standing
from muster.testing.serving import serving
from muster.testing.town import Town, event_input

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Documents with their variables, and what they come to in a town of one public event. `E` is the event's id.
MEANINGS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "a named fragment": ("{ event(id: E) { ...a } } fragment a on Event { mode }", {}, {"event": {"mode": "CUSTOM"}}),
    "an inline fragment": ("{ event(id: E) { ... on Event { mode } } }", {}, {"event": {"mode": "CUSTOM"}}),
    "an inline fragment of any type": ("{ event(id: E) { ... { mode } } }", {}, {"event": {"mode": "CUSTOM"}}),
    "fragments in fragments": (
        ("{ ...q } fragment q on Query { event(id: E) { ...a } } fragment a on Event { mode ...b } "
        "fragment b on Event { min }"),
        {},
        {"event": {"mode": "CUSTOM", "min": 1}},
    ),
    "fields that merge": (
        "{ event(id: E) { owner { name } ...a } event(id: E) { mode } } fragment a on Event { owner { __typename } }",
        {},
        {"event": {"owner": {"name": "main owner", "__typename": "User"}, "mode": "CUSTOM"}},
    ),
    "__typename everywhere": (
        ("{ t: __typename events(first: 1) { __typename nodes { __typename owner { __typename } } "
        "edges { __typename } pageInfo { __typename } } }"),
        {},
        {
            "t": "Query",
            "events": {
                "__typename": "EventConnection",
                "nodes": [{"__typename": "Event", "owner": {"__typename": "User"}}],
                "edges": [{"__typename": "EventEdge"}],
                "pageInfo": {"__typename": "PageInfo"},
            },
        },
    ),
    "skip and include on a field": (
        ("query($yes: Boolean!, $no: Boolean!) { event(id: E) { mode @include(if: $no) min @skip(if: $yes) "
        "joinMode @include(if: $yes) @skip(if: $no) } }"),
        {"yes": True, "no": False},
        {"event": {"joinMode": "OPEN"}},
    ),
    "skip wins over include": (
        "{ event(id: E) { min mode @include(if: true) @skip(if: true) } }",
        {},
        {"event": {"min": 1}},
    ),
    "directives on fragments": (
        ("query($no: Boolean = false) { event(id: E) { min ...a @include(if: $no) ... on Event @skip(if: true) { max } "
        "... @include(if: true) { joinMode } } } fragment a on Event { mode }"),
        {},
        {"event": {"min": 1, "joinMode": "OPEN"}},
    ),
    "everything skipped": ("{ event(id: E) { mode @skip(if: true) } }", {}, {"event": {}}),
    "a default of a variable": (
        "query($n: Int = 0) { events(first: $n) { nodes { id } } }",
        {},
        {"events": {"nodes": []}},
    ),
    "a variable over its default": (
        "query($n: Int = 50) { events(first: $n) { nodes { id } } }",
        {"n": 0},
        {"events": {"nodes": []}},
    ),
    "a variable that is absent leaves the argument absent": (
        "query($n: Int) { events(first: $n) { nodes { mode } } }",
        {},
        {"events": {"nodes": [{"mode": "CUSTOM"}]}},
    ),
    "null is no size": (
        "query($n: Int = 0) { events(first: $n) { nodes { mode } } }",
        {"n": None},
        {"events": {"nodes": [{"mode": "CUSTOM"}]}},
    ),
    "null is no filter": (
        "query($f: EventFilter) { events(filter: $f) { totalCount } }",
        {"f": {"ownerId": None, "text": None}},
        {"events": {"totalCount": 1}},
    ),
    "a variable inside an object": (
        "query($text: String) { events(filter: {text: $text, joinMode: OPEN}) { totalCount } }",
        {"text": "evening"},
        {"events": {"totalCount": 1}},
    ),
    "an absent variable inside an object": (
        "query($text: String) { events(filter: {text: $text}) { totalCount } }",
        {},
        {"events": {"totalCount": 1}},
    ),
    "a block string": ('{ events(filter: {text: """\n  evening\n"""}) { totalCount } }', {}, {"events": {"totalCount": 1}}),
    "an escaped string": ('{ events(filter: {text: "\\u0065vening"}) { totalCount } }', {}, {"events": {"totalCount": 1}}),
    "comments and commas": ("{ # hello\n event(id: E,) { min, } }", {}, {"event": {"min": 1}}),
    "aliases": ("{ a: event(id: E) { b: min } c: event(id: E) { b: mode } }", {}, {"a": {"b": 1}, "c": {"b": "CUSTOM"}}),
    "an empty selection": ("{ event(id: E) { } }", {}, {"event": {}}),
}  # fmt: skip


async def _ask(town: Town, text: str, /, **variables: Any) -> dict[str, Any]:
    client = town.people[Standing.MEMBER].client
    return await client.document(text.replace("(id: E", f'(id: "{town.event_id}"'), **variables)


@pytest.mark.parametrize("name", MEANINGS)
async def test_what_a_document_means(name: str, town: Town) -> None:
    text, variables, expected = MEANINGS[name]
    assert await _ask(town, text, **variables) == {"data": expected}


async def test_input_is_coerced(town: Town) -> None:
    """A whole number is a float, one value is a list of it; both as literals and in variables."""
    one = event_input(latitude=50, longitude=19, tags="chess")
    plain = {name: str(value) if hasattr(value, "isoformat") else value for name, value in one.items()}
    sent = await _ask(
        town, "mutation($i: CreateEventInput!) { createEvent(input: $i) { latitude longitude tags } }", i=plain
    )
    assert sent == {"data": {"createEvent": {"latitude": 50.0, "longitude": 19.0, "tags": ["chess"]}}}
    literals = ", ".join(f"{name}: {_literal(name, value)}" for name, value in plain.items())
    written = await _ask(town, f"mutation {{ createEvent(input: {{{literals}}}) {{ latitude longitude tags }} }}")
    assert written == sent


def _literal(name: str, value: Any) -> str:
    return str(value) if name == "meetingKind" else json.dumps(value)


async def test_a_literal_and_a_variable_are_refused_alike(town: Town) -> None:
    told = await _ask(town, "query(\n  $n: Int!) { events(first: $n) { totalCount } }", n="five")
    (error,) = told["errors"]
    assert (error["locations"], error["extensions"]["code"]) == ([{"line": 2, "column": 3}], "BAD_USER_INPUT")
    told = await _ask(town, '{\n  events(first: "five") { totalCount } }')
    (error,) = told["errors"]
    assert (error["locations"], error["extensions"]["code"]) == (
        [{"line": 2, "column": 17}],
        "GRAPHQL_VALIDATION_FAILED",
    )


async def test_every_reason_is_told_with_its_place(town: Town) -> None:
    told = await _ask(town, "{\n  one\n  two\n}")
    assert [error["locations"] for error in told["errors"]] == [[{"line": 2, "column": 3}], [{"line": 3, "column": 3}]]
    assert "data" not in told


async def test_introspection_tells_the_whole_schema_as_the_sdl_does(town: Town) -> None:
    told = await _ask(town, get_introspection_query(specified_by_url=True, directive_is_repeatable=True))
    names = {each["name"] for each in told["data"]["__schema"]["types"]}
    assert names == set(build_schema().type_map)
    scalars = {each["name"]: each["specifiedByURL"] for each in told["data"]["__schema"]["types"]}
    assert scalars["DateTime"] == "https://www.rfc-editor.org/rfc/rfc3339"


async def test_production_tells_nothing_of_the_schema(urls: Urls) -> None:
    async with serving(urls, MUSTER_ENV="production") as service:
        answers = [
            (await service.http.post("/graphql", json={"query": query})).json()
            for query in (
                "{ __typename }",
                "{ __schema { queryType { name } } }",
                '{ __type(name: "Event") { name } }',
                "{ evens { totalCount } }",
                "{ events(frst: 1) { totalCount } }",
                "{ events(order: STRT) { totalCount } }",
            )
        ]
    assert answers[0] == {"data": {"__typename": "Query"}}
    for told in answers[1:]:
        assert {error["extensions"]["code"] for error in told["errors"]} == {"GRAPHQL_VALIDATION_FAILED"}
        assert "Did you mean" not in json.dumps(told)

"""Hostile GraphQL: documents and variables that no schema foresees are refused with a clear 4xx, and nothing is done."""

import json
import time
from typing import Any

import httpx
import pytest

from muster.kit.endpoints.graphql.http import GRAPHQL_JSON
from muster.testing.people import Standing
from muster.testing.town import Town, event_input

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVALID, BAD, FIELD = "GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT", "VALIDATION_ERROR"
NOBODY = "018f0000-0000-7000-8000-000000000000"
FINE = json.loads(json.dumps(event_input(), default=lambda moment: moment.isoformat()))
CREATE = "mutation($input: CreateEventInput!) { createEvent(input: $input) { id } }"
FILTERED = "query($filter: EventFilter) { events(filter: $filter) { totalCount } }"


async def _post(town: Town, body: Any) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {**town.client(Standing.MEMBER).headers(), "content-type": "application/json", "accept": GRAPHQL_JSON}
    return await town.service.http.post("/graphql", content=content, headers=headers)


def _assert_refused(response: httpx.Response, status: int, code: str, path: str | None = None) -> None:
    told = response.json()
    assert response.status_code == status, told
    assert "data" not in told
    for error in told["errors"]:
        assert error["message"]
        assert error["extensions"]["code"] == code, told
        assert error["extensions"]["requestId"] == response.headers["x-request-id"]
    if path is not None:
        assert [each["path"] for each in told["errors"][0]["extensions"]["errors"]] == [path], told


def _chain(length: int) -> str:
    """Fragments that spread one another, `length` of them."""
    links = " ".join(f"fragment f{n} on Query {{ ...f{n + 1} }}" for n in range(length))
    return f"{{ ...f0 }} {links} fragment f{length} on Query {{ __typename }}"


def _laughs(levels: int, width: int) -> str:
    """A short text that selects `width` to the power of `levels` fields."""
    bombs = (
        f"fragment f{n} on Event {{ "
        + " ".join(f"a{n}_{k}: members(first: 1) {{ nodes {{ event {{ ...f{n + 1} }} }} }}" for k in range(width))
        + " }"
        for n in range(levels)
    )
    return f"{{ events(first: 1) {{ nodes {{ ...f0 }} }} }} {' '.join(bombs)} fragment f{levels} on Event {{ id }}"


def _nested(depth: int) -> str:
    """Fields of an event, `depth` events deep."""
    return "members { nodes { event { " * depth + "id" + " } } }" * depth


DOCUMENTS = {
    "empty": ("", INVALID),
    "no document": ("hello", INVALID),
    "cut off": ("{ me { id", INVALID),
    "unknown field": ("{ me { password } }", INVALID),
    "unknown root": ("{ users { id } }", INVALID),
    "unknown argument": ("{ events(limit: 5) { totalCount } }", INVALID),
    "unknown directive": ("{ me @admin { id } }", INVALID),
    "missing argument": ("{ event { id } }", INVALID),
    "no selection": ("{ me }", INVALID),
    "selection of a scalar": ("{ me { id { id } } }", INVALID),
    "wrong literal": ('{ events(first: "5") { totalCount } }', INVALID),
    "float for int": ("{ events(first: 1.5) { totalCount } }", INVALID),
    "int beyond 32 bits": ("{ events(first: 3000000000) { totalCount } }", INVALID),
    "int beyond all measure": ("{ events(first: " + "9" * 5000 + ") { totalCount } }", INVALID),
    "a number for an id": ("{ event(id: 5) { id } }", INVALID),
    "unknown value": ("{ events(order: UPSIDE) { totalCount } }", INVALID),
    "input field twice": ('{ events(filter: {text: "a", text: "b"}) { totalCount } }', INVALID),
    "argument twice": ("{ events(first: 1, first: 2) { totalCount } }", INVALID),
    "conflicting fields": ("{ a: me { id } a: events { totalCount } }", INVALID),
    "unknown fragment": ("{ ...nowhere }", INVALID),
    "circular fragment": ("{ me { ...a } } fragment a on User { ...b } fragment b on User { ...a }", INVALID),
    "fragment in itself": ("{ ...a } fragment a on Query { ...a }", INVALID),
    "circle through fields": (
        "{ events { nodes { ...a } } } fragment a on Event { members { nodes { event { ...a } } } }",
        INVALID,
    ),
    "subscription over HTTP": (f'subscription {{ membershipChanged(eventId: "{NOBODY}") {{ cursor }} }}', BAD),
    "only a fragment": ("fragment a on User { id }", INVALID),
    "two operations": ("query a { me { id } } query b { me { id } }", BAD),
    "a type definition": ("type Query { a: Int }", INVALID),
    "negative size": ("{ events(first: -1) { totalCount } }", BAD),
    "size too large": ("{ events(first: 101) { totalCount } }", BAD),
    "both ways": ("{ events(first: 1, last: 1) { totalCount } }", BAD),
    "no cursor": ('{ events(after: "x") { totalCount } }', BAD),
    "a cursor of half a surrogate pair": ('{ events(after: "\\ud800") { totalCount } }', INVALID),
    "U+0000 in a literal": ('{ events(filter: {text: "a\\u0000b"}) { totalCount } }', BAD),
    "U+0000 in the document": ("{ me\x00{ id } }", BAD),
    "half a surrogate pair in the document": ('{ events(filter: {text: "\ud800"}) { totalCount } }', BAD),
    "too deep": (f"{{ events {{ nodes {{ {_nested(8)} }} }} }}", BAD),
    "deep in a fragment": (f"{{ events {{ nodes {{ ...a }} }} }} fragment a on Event {{ {_nested(8)} }}", BAD),
    "deep beyond parsing": ("{" * 5000, INVALID),
    "deep lists": ("{ events(filter: " + "[" * 4000 + ") }", INVALID),
    "deep literals": ("{ events(filter: " + "{a:" * 1500 + "1" + "}" * 1500 + ") { totalCount } }", INVALID),
    "deep inline fragments": ("{" + "...{" * 1200 + "me{id}" + "}" * 1200 + "}", INVALID),
    "deep introspection": ("{ __schema { types { " + "fields { type { " * 5 + "name" + " } }" * 5 + " } } }", INVALID),
    "a long chain of fragments": (_chain(300), BAD),
    "a thousand laughs": (_laughs(6, 15), BAD),
    "too costly": ("{ events(first: 100) { nodes { members(first: 100) { nodes { user { id name } } } } } }", BAD),
    "too many tokens": ("{" + " a" * 6000 + "}", INVALID),
    "too long": ("{ me { id } }" + " " * 20_000, BAD),
    "too many aliases": ("{ " + " ".join(f"a{n}: __typename" for n in range(31)) + " }", BAD),
    "too many aliases by fragments": (
        "{ me { ...a } n: me { ...a } } fragment a on User { " + " ".join(f"a{n}: id" for n in range(15)) + " }",
        BAD,
    ),
    "too many root fields": ("{" + " me { id }" * 21 + " }", BAD),
    "too many root fields by fragments": (
        "{"
        + " ...a" * 7
        + " } fragment a on Query { me { id } ...b } fragment b on Query { x: me { id } y: me { id } }",
        BAD,
    ),
    "too many directives": ("{ me { id" + " @include(if: true)" * 6 + " } }", BAD),
    "too many directives on a fragment": ("{ ..." + " @a" * 6 + " { me { id } } }", BAD),
    "too many directives on an operation": ("query" + " @a" * 6 + " { me { id } }", BAD),
    "too many directives on a variable": ("query($a: Int" + " @a" * 6 + ") { me { id } }", BAD),
    "a directive twice": ("{ me { id @skip(if: false) @skip(if: false) } }", INVALID),
    "too laborious": ("{ events { nodes {" + " members { nodes { user { id } } }" * 400 + " } } }", BAD),
    "fragments in a circle": ("{ ...a } fragment a on Query { ...b } fragment b on Query { ...a me { id } }", INVALID),
    "a fragment in itself": ("{ me { ...a } } fragment a on User { ...a id }", INVALID),
    "a fragment in itself under a list": (
        "{ events { nodes { ...a } } } fragment a on Event { members { nodes { event { ...a } } } }",
        INVALID,
    ),
    "the same field a thousand times": ("{ me { " + "id " * 1000 + "} }", BAD),
    "a very long name": ("{ " + "a" * 15_000 + " }", INVALID),
    "__proto__ as a field": ("{ __proto__ { id } }", INVALID),
    "__proto__ as an argument": ('{ events(__proto__: {text: "x"}) { totalCount } }', INVALID),
    "__proto__ in an input": ("{ events(filter: {__proto__: 1}) { totalCount } }", INVALID),
    "an int beyond all measure": ("{ events(first: " + "9" * 1000 + ") { totalCount } }", INVALID),
    "a letter that looks like another": ("{ m\u0435 { id } }", INVALID),
    "text that runs backwards": ("{ me { id \u202e} }", INVALID),
    "a space of no width": ("{ m\u200be { id } }", INVALID),
    "null under a directive": ("query($a: Boolean = true) { me @include(if: $a) { id } }", BAD),
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_documents(name: str, town: Town) -> None:
    document, code = DOCUMENTS[name]
    variables = {"a": None} if "$a" in document else {}
    began = time.perf_counter()
    response = await _post(town, {"query": document, "variables": variables})
    assert time.perf_counter() - began < 5
    _assert_refused(response, 400, code)


VARIABLES = {
    "missing": (CREATE, {}, 400, BAD),
    "null": (CREATE, {"input": None}, 400, BAD),
    "a list for an object": (CREATE, {"input": []}, 400, BAD),
    "text for an object": (CREATE, {"input": "x"}, 400, BAD),
    "unknown field": (CREATE, {"input": {**FINE, "colour": 1}}, 400, BAD),
    "missing field": (CREATE, {"input": {}}, 400, BAD),
    "number for text": (CREATE, {"input": {**FINE, "title": 5}}, 400, BAD),
    "int beyond 32 bits": (CREATE, {"input": {**FINE, "max": 2**31}}, 400, BAD),
    "int beyond 64 bits": (CREATE, {"input": {**FINE, "max": 2**64}}, 400, BAD),
    "int beyond all measure": (CREATE, {"input": {**FINE, "max": 10**400}}, 400, BAD),
    "bool for int": (CREATE, {"input": {**FINE, "max": True}}, 400, BAD),
    "unknown value": (CREATE, {"input": {**FINE, "mode": "HUGE"}}, 400, BAD),
    "__proto__": (CREATE, {"input": {**FINE, "__proto__": {"isAdmin": True}}}, 400, BAD),
    "U+0000": (CREATE, {"input": {**FINE, "title": "a\x00bcd"}}, 400, BAD),
    "half a surrogate pair": (CREATE, {"input": {**FINE, "title": "abc\ud800"}}, 400, BAD),
    "U+0000 in an unused variable": ("{ me { id } }", {"x": {"y": ["\x00"]}}, 400, BAD),
    "naive time": (FILTERED, {"filter": {"startsAfter": "2031-01-01T00:00:00"}}, 422, FIELD),
    "outside the calendar": (FILTERED, {"filter": {"startsBefore": "0001-01-01T00:00:00+14:00"}}, 422, FIELD),
    "year 10000": (FILTERED, {"filter": {"startsBefore": "10000-01-01T00:00:00Z"}}, 422, FIELD),
    "a number for a time": (FILTERED, {"filter": {"startsBefore": 5}}, 400, BAD),
    "no id": (FILTERED, {"filter": {"ownerId": "me"}}, 422, FIELD),
    "a very long id": (FILTERED, {"filter": {"ownerId": "a" * 100_000}}, 422, FIELD),
}
PATHS = {"naive time": "filter.startsAfter", "no id": "filter.ownerId", "U+0000": "variables.input.title",
         "half a surrogate pair": "variables.input.title", "U+0000 in an unused variable": "variables.x.y[0]"}  # fmt: skip


@pytest.mark.parametrize("name", VARIABLES)
async def test_variables(name: str, town: Town) -> None:
    document, variables, status, code = VARIABLES[name]
    _assert_refused(await _post(town, {"query": document, "variables": variables}), status, code, PATHS.get(name))


REFUSED_BY_A_COMMAND: dict[str, tuple[dict[str, object], str]] = {
    "naive time": ({"startsAt": "2031-01-01T00:00:00"}, "input.startsAt"),
    "too short": ({"title": "a"}, "input.title"),
    "off the map": ({"latitude": 91}, "input.latitude"),
    "too many": ({"max": 100_000}, "input.max"),
    "outside the calendar": ({"endsAt": "9999-12-31T23:59:59-14:00"}, "input.endsAt"),
}


@pytest.mark.parametrize("name", REFUSED_BY_A_COMMAND)
async def test_a_command_names_the_field(name: str, town: Town) -> None:
    changes, path = REFUSED_BY_A_COMMAND[name]
    told = (await _post(town, {"query": CREATE, "variables": {"input": {**FINE, **changes}}})).json()
    assert told["data"] == {"createEvent": None}
    (error,) = told["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["createEvent"], FIELD)
    assert [each["path"] for each in error["extensions"]["errors"]] == [path]


BODIES: dict[str, Any] = {
    "no object": [],
    "a batch": [{"query": "{ me { id } }"}],
    "text": "{ me { id } }",
    "nothing": b"",
    "no query": {},
    "null query": {"query": None},
    "number for the query": {"query": 5},
    "variables in a list": {"query": "{ me { id } }", "variables": []},
    "variables as text": {"query": "{ me { id } }", "variables": "{}"},
    "unknown operation": {"query": "query a { me { id } }", "operationName": "b"},
    "operation of half a surrogate pair": {"query": "query a { me { id } }", "operationName": "\ud800"},
    "number for the operation": {"query": "query a { me { id } }", "operationName": 5},
    "bad UTF-8": b'{"query": "\xff"}',
    "1e999": b'{"query": "{ me { id } }", "variables": {"a": 1e999}}',
    "NaN": b'{"query": "{ me { id } }", "variables": {"a": NaN}}',
    "deep variables": b'{"query": "{ me { id } }", "variables": {"a": ' + b"[" * 100_000,
    "a name twice": b'{"query": "{ me { id } }", "query": "{ me { name } }"}',
}


@pytest.mark.parametrize("name", BODIES)
async def test_bodies(name: str, town: Town) -> None:
    _assert_refused(await _post(town, BODIES[name]), 400, BAD)


async def test_deep_variables_that_can_be_read(town: Town) -> None:
    deep = b'{"query": "{ me { id } }", "variables": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}"
    response = await _post(town, deep)
    assert response.status_code == 200, response.json()


ADDRESSES = {
    "nothing": ("", 400, BAD),
    "query twice": ("?query={me{id}}&query={me{name}}", 400, BAD),
    "bad UTF-8": ("?query=%ff", 400, BAD),
    "variables are no JSON": ("?query={me{id}}&variables={", 400, BAD),
    "a mutation": ("?query=mutation{logout}", 405, "METHOD_NOT_ALLOWED"),
}


@pytest.mark.parametrize("name", ADDRESSES)
async def test_addresses(name: str, town: Town) -> None:
    query, status, code = ADDRESSES[name]
    headers = {**town.client(Standing.MEMBER).headers(), "accept": GRAPHQL_JSON}
    response = await town.service.http.get(f"/graphql{query}", headers=headers)
    _assert_refused(response, status, code)


@pytest.mark.parametrize(
    ("document", "data"), [("{ }", {}), ("{ me { } }", {"me": {}}), ("{ events { nodes { } } }", None)]
)
async def test_an_empty_selection_is_read_as_one(document: str, data: object, town: Town) -> None:
    """Newer drafts of the language allow it."""
    response = await _post(town, {"query": document})
    assert response.status_code == 200, response.json()
    assert data is None or response.json()["data"] == data


async def test_a_cursor_of_another_list_order_or_filter(town: Town) -> None:
    async def cursor(arguments: str) -> str:
        text = f"{{ events(first: 1{arguments}) {{ pageInfo {{ endCursor }} }} }}"
        told = (await _post(town, {"query": text})).json()
        return str(told["data"]["events"]["pageInfo"]["endCursor"])

    start = await cursor("")
    others = [await cursor(", order: NEWEST"), await cursor(", filter: {joinMode: OPEN}")]
    damaged = [start[:-8] + "AAAAAAAA", start[4:], start.lower(), start + "="]
    for text in [*others, *damaged]:
        _assert_refused(
            await _post(town, {"query": f'{{ events(after: "{text}") {{ totalCount }} }}'}), 400, BAD, "after"
        )
    members = f'{{ eventMembers(eventId: "{town.event_id}", after: "{start}") {{ totalCount }} }}'
    _assert_refused(await _post(town, {"query": members}), 400, BAD, "after")

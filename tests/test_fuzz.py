"""Random requests, made from our own documents of the API: whatever comes, the answer is well-formed and never a 500."""

import json
import string
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
)
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from muster.kit.commands.command import COMMANDS
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.views.query import QUERIES
from muster.main import openapi_document
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process
from muster.testing.thoroughness import TURN, as_much_as
from muster.testing.town import Town, moved

pytestmark = pytest.mark.asyncio(loop_scope="module")

REQUESTS = as_much_as(12, thoroughly=120)
"""To each endpoint each way; others every day."""
DOCUMENT = json.loads(openapi_document())
SCHEMA = build_schema()
OPERATIONS = [
    (method, path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]

# All of UTF-8, said by category: asked for by its name, every process of a fresh clone tries each character there is.
characters = st.characters(exclude_categories=["Cs"])
odd_text = st.one_of(
    st.text(characters, max_size=20),
    st.text(alphabet=string.printable, max_size=80),
    st.sampled_from(
        ["", "null", "NaN", "-1", "1e999", "2031-01-01T00:00:00", "9999-12-31T23:59:59-14:00", "\x00", "%00"]
    ),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.uuids().map(str),
)
odd_value = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), odd_text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_text, inner, max_size=3),
    max_leaves=6,
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(clone: Callable[..., AbstractContextManager[Urls]], model_town: Town) -> AsyncIterator[Town]:
    with clone(model_town.service.urls) as urls:
        async with serving_in_process(urls) as service:
            yield moved(model_town, service)


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    return DOCUMENT["components"]["schemas"][name] if name else schema


def _of_schema(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values that mostly fit a JSON schema, and sometimes do not."""
    schema = _resolved(schema)
    if "properties" in schema:
        fields = {name: _of_schema(inner) for name, inner in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional={**fields, "colour": odd_value}) | odd_value
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([_of_schema(each) for each in schema[choice]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | odd_value
    by_type: dict[Any, st.SearchStrategy[Any]] = {
        "integer": st.integers(-5, 200) | st.integers(),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "boolean": st.booleans(),
        "string": odd_text,
        "array": st.lists(odd_value, max_size=3),
    }
    return by_type.get(schema.get("type"), odd_value) | odd_value


def _examples(strategy: st.SearchStrategy[Any]) -> list[Any]:
    """Examples of a strategy, the same ones in each turn."""
    found = []

    @seed(TURN)
    @settings(max_examples=REQUESTS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def collect(example: object) -> None:
        found.append(example)

    collect()
    return found


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@pytest.mark.parametrize(
    ("method", "path", "operation"), OPERATIONS, ids=[each["operationId"] for *_, each in OPERATIONS]
)
async def test_rest(method: str, path: str, operation: dict[str, Any], town: Town) -> None:
    parameters = [each for each in operation["parameters"] if each.get("in") in ("path", "query")]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    places = {each["name"]: st.just(str(town.event_id)) | odd_text for each in parameters if each["in"] == "path"}
    query = {each["name"]: _of_schema(each["schema"]) for each in parameters if each["in"] == "query"}
    requests = st.tuples(
        st.fixed_dictionaries(places),
        st.fixed_dictionaries({}, optional={**query, "colour": odd_value}),
        st.none() if body is None else _of_schema(body),
    )
    stays_open = any(media.startswith("text/event-stream") for media in _media_types(operation))
    for placed, asked, sent in _examples(requests):
        address = path
        for name, value in placed.items():
            address = address.replace(f"{{{name}}}", quote(value, safe=""))
        ask = partial(
            town.service.http.request,
            url=address,
            params={name: _as_text(value) for name, value in asked.items()},
            content=None if sent is None else json.dumps(sent),
            headers={**_headers(town, operation["operationId"]), "content-type": "application/json"},
        )
        if stays_open and (await ask("HEAD")).status_code == 200:
            continue
        response = await ask(method)
        told = f"{method} {response.request.url} {sent!r}\n{response.status_code} {response.text}"
        assert response.status_code < 500, told
        if response.status_code >= 400:
            assert response.headers["content-type"] == "application/problem+json", told
            assert response.json()["detail"], told


def _media_types(operation: dict[str, Any]) -> list[str]:
    """What an operation answers when all is well."""
    return [
        each for status, answer in operation["responses"].items() if status < "3" for each in answer.get("content", {})
    ]


def _headers(town: Town, name: str) -> dict[str, str]:
    """Of the event's owner; whoever signs out would leave the rest of the run without a session."""
    return {} if name in ("logout", "logoutEverywhere", "deleteAccount") else town.client(Standing.OWNER).headers()


def _of_input(kind: Any) -> st.SearchStrategy[Any]:
    """Values of variables that mostly fit an input type, and sometimes do not."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        fields = {name: _of_input(each.type) for name, each in named.fields.items()}
        return st.fixed_dictionaries({}, optional={**fields, "colour": odd_value}) | odd_value
    if isinstance(named, GraphQLEnumType):
        return st.sampled_from([*named.values]) | odd_value
    by_name = {"Int": st.integers(-5, 200) | st.integers(), "Boolean": st.booleans(), "String": odd_text}
    return by_name.get(named.name, odd_text) | odd_value


def _field(name: str) -> tuple[str, GraphQLField]:
    kind = "mutation" if name in COMMANDS else "query"
    root = SCHEMA.mutation_type if kind == "mutation" else SCHEMA.query_type
    assert root is not None
    return kind, root.fields[name]


@pytest.mark.parametrize("name", sorted({*COMMANDS, *QUERIES}))
async def test_graphql_variables(name: str, town: Town) -> None:
    kind, field = _field(name)
    defined = ", ".join(f"${key}: {each.type}" for key, each in field.args.items())
    given_to = ", ".join(f"{key}: ${key}" for key in field.args)
    selection = " { __typename }" if isinstance(get_named_type(field.type), GraphQLObjectType) else ""
    document = f"{kind}{f'({defined})' if defined else ''} {{ {name}{f'({given_to})' if given_to else ''}{selection} }}"
    variables = {
        key: st.just(str(town.event_id)) | _of_input(each.type) if key in ("id", "eventId") else _of_input(each.type)
        for key, each in field.args.items()
    }
    for sent in _examples(st.fixed_dictionaries({}, optional={**variables, "unknown": odd_value})):
        response = await town.service.http.post(
            "/graphql", json={"query": document, "variables": sent}, headers=_headers(town, name)
        )
        told = f"{document} {sent!r}\n{response.status_code} {response.text}"
        assert response.status_code < 500, told
        answer = response.json()
        for error in answer.get("errors", []):
            assert error["message"], told
            assert error["extensions"]["status"] < 500, told
        assert "errors" in answer or "data" in answer, told

"""The OpenAPI document is valid, its examples fit their schemas, and it describes every operation whole."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from muster.kit.commands.command import COMMANDS
from muster.kit.views.query import QUERIES
from muster.main import openapi_document

DOCUMENT: dict[str, Any] = json.loads(openapi_document())
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for methods in DOCUMENT["paths"].values() for operation in methods.values()
}

# What no slice declares.
UNDECLARED = {"csrfToken", "health", "healthLive", "healthReady", "jwks"}


SCHEMAS = "urn:muster:openapi"
REGISTRY = jsonschema_rs.Registry([(SCHEMAS, {"components": {"schemas": DOCUMENT["components"]["schemas"]}})])


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    found: Any = part
    if "$ref" in part:
        found = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)


def _contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that an operation takes or gives, with where it stands."""
    yield from operation.get("requestBody", {}).get("content", {}).items()
    for status, response in operation["responses"].items():
        for media_type, content in _resolved(response).get("content", {}).items():
            yield f"{status} {media_type}", content


def _examples(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], object]]:
    """Every example of an operation: where it stands, its schema, its value."""
    for parameter in map(_resolved, operation["parameters"]):
        yield from ((parameter["name"], parameter["schema"], each) for each in parameter["schema"]["examples"])
    for place, content in _contents(operation):
        values = (
            [content["example"]] if "example" in content else [each["value"] for each in content["examples"].values()]
        )
        assert values, place
        yield from ((place, content["schema"], value) for value in values)


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")
    assert OPERATIONS.keys() == {*COMMANDS, *QUERIES, "batch", "stream", *UNDECLARED}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_is_described_whole(name: str) -> None:
    operation = OPERATIONS[name]
    assert operation["summary"]
    assert operation["description"]
    assert set(operation["tags"]) <= {each["name"] for each in DOCUMENT["tags"]}
    assert "security" in operation
    statuses = operation["responses"].keys()
    assert statuses & {"200", "201", "202", "204"}
    if name in UNDECLARED:
        # They take nothing, so there is nothing to be wrong with what they are given.
        assert statuses <= {"200", "401", "503"}
    else:
        assert statuses >= {"400", "406", "422", "503"}
        # Where it is not looked at who calls, nobody is told who they are not.
        assert not operation["security"] or statuses >= {"401", "404"}
    for response in map(_resolved, operation["responses"].values()):
        assert response["description"]
        assert "X-Request-Id" in response["headers"]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_examples_fit_their_schemas(name: str) -> None:
    for place, schema, value in _examples(OPERATIONS[name]):
        # To read all that the document describes takes longer than to check one example: the registry has read it once.
        root = json.loads(json.dumps(schema).replace('"#/components/', f'"{SCHEMAS}#/components/'))
        checked = jsonschema_rs.Draft202012Validator(root, validate_formats=True, registry=REGISTRY)
        assert [f"{place}: {each}" for each in checked.iter_errors(value)] == []


def test_examples_of_problems_are_those_of_their_status() -> None:
    for name, operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            examples = _resolved(response).get("content", {}).get("application/problem+json", {}).get("examples", {})
            for code, example in examples.items():
                assert (str(example["value"]["status"]), example["value"]["code"]) == (status, code), name


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - UNDECLARED))
def test_an_operation_says_how_often_it_may_be_asked(name: str) -> None:
    responses = OPERATIONS[name]["responses"]
    assert "RATE_LIMIT_EXCEEDED" in _resolved(responses["429"])["content"]["application/problem+json"]["examples"]
    assert {"Retry-After", "RateLimit", "RateLimit-Policy"} <= _resolved(responses["429"])["headers"].keys()
    done = next(response for status, response in responses.items() if status.startswith("2"))
    assert {"RateLimit", "RateLimit-Policy"} <= done["headers"].keys()

"""Whether an answer over REST is one that the OpenAPI document describes: every answer that a test gets is held to it."""

import json
from functools import cache
from typing import Any

import httpx
import jsonschema_rs

from muster.main import openapi_document


def assert_described(name: str, response: httpx.Response) -> None:
    """Fail the test when the operation of this name does not describe this answer.

    The status, the media type, the code of a problem and the schema of the body are held against the document. A
    status is described by `answers` of the command, a code by the sentence of its docstring that begins with Raises.
    """
    described = _operations()[name]["responses"].get(str(response.status_code))
    told = f"{name} answered {response.status_code} {response.text[:300]}, which its entry in openapi.json does not describe"
    assert described is not None, told
    contents = _resolved(described).get("content", {})
    if not contents:
        assert not response.content, told
        return
    media_type = response.headers["content-type"]
    assert media_type in contents, told
    body = response.json()
    if media_type == "application/problem+json":
        assert body["code"] in contents[media_type]["examples"], told
    _validator(json.dumps(contents[media_type]["schema"])).validate(body)


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(openapi_document())
    return found


@cache
def _operations() -> dict[str, dict[str, Any]]:
    return {each["operationId"]: each for methods in _document()["paths"].values() for each in methods.values()}


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    root = {**json.loads(schema), "components": _document()["components"]}
    return jsonschema_rs.Draft202012Validator(root, validate_formats=True)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = _document()["components"]["responses"][name] if name else part
    return found

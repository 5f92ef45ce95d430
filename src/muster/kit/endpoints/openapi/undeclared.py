"""What stands at the API beside what slices declare: the token of a cookie's session, the keys that tokens verify with,
and the service's health.
"""

from typing import Any

from muster.kit.endpoints.openapi.examples import Schema
from muster.kit.endpoints.openapi.refusals import problem_responses
from muster.kit.errors import Unauthenticated

TAG = {"name": "service", "description": "The service itself."}
"""What the document says of them as a group."""

_REQUEST_ID: dict[str, Schema] = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
_UP = {"uptime": 12.5, "timestamp": "2031-05-01T18:00:00+00:00"}
_CHECK = {"status": "ok", "latencyMs": 0.4}
_KEYS = {
    "keys": [
        {
            "kty": "OKP",
            "crv": "Ed25519",
            "use": "sig",
            "alg": "EdDSA",
            "kid": "7d5f0c41b8a9e623",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }
    ]
}
_READY = {
    "status": "ok",
    **_UP,
    "version": "0.1.0",
    "environment": "production",
    "checks": {"database": _CHECK, "queue": _CHECK},
}


def undeclared_paths(responses: dict[str, Schema]) -> dict[str, Schema]:
    """Their entries by path. responses: the components that operations share, filled on the way."""
    refused = problem_responses([Unauthenticated], responses)
    return {
        "/api/v1/auth/csrf": _get(
            "csrfToken",
            "The CSRF token of the session in the cookie.",
            {"200": _answer("The token; pages of strangers cannot read it.", {"csrfToken": "5f3a"}), **refused},
            security=[{"cookie": []}],
        ),
        "/.well-known/jwks.json": _get(
            "jwks",
            "The keys that access tokens verify with.",
            {"200": _answer("A JWK set (RFC 7517); cache it for five minutes.", _KEYS, "application/jwk-set+json")},
        ),
        "/health": _get(
            "health",
            "Whether it serves, in brief.",
            _up_or_down({"ok": True, "db": True, "redis": None}, "`redis` is null where none is set."),
        ),
        "/health/live": _get(
            "healthLive",
            "Whether the process answers at all.",
            {"200": _answer("It does.", {"status": "ok", **_UP})},
        ),
        "/health/ready": _get(
            "healthReady",
            "Whether requests can be served, and what that rests on.",
            _up_or_down(_READY, "`degraded` while no worker follows up, or the store is away; `fail` comes with 503."),
        ),
    }


def _get(name: str, summary: str, responses: dict[str, Schema], security: list[Schema] | None = None) -> Schema:
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "description": summary,
        "tags": [TAG["name"]],
        "parameters": [],
        "responses": responses,
        "security": security or [],
    }
    return {"get": operation}


def _up_or_down(example: dict[str, Any], told: str) -> dict[str, Schema]:
    return {"200": _answer(f"It does; {told}", example), "503": _answer("It does not, or it is stopping.", example)}


def _answer(told: str, example: dict[str, Any], media_type: str = "application/json") -> Schema:
    return {
        "description": told,
        "headers": _REQUEST_ID,
        "content": {media_type: {"schema": _schema_of(example), "example": example}},
    }


_TYPES = {bool: "boolean", float: "number", str: "string", type(None): ["boolean", "null"]}


def _schema_of(example: Any) -> Schema:
    """The schema of an object that always has these members."""
    if isinstance(example, list):
        return {"type": "array", "items": _schema_of(example[0])}
    if not isinstance(example, dict):
        return {"type": _TYPES[type(example)]}
    return {
        "type": "object",
        "required": list(example),
        "properties": {name: _schema_of(value) for name, value in example.items()},
    }

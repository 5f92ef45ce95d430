"""The document: what it is about, every path, and what paths have in common."""

import importlib
from typing import Any

import msgspec

from muster import __version__
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.endpoints.event_stream.rest import PATH as STREAM
from muster.kit.endpoints.keys import HEADER, SHAPE
from muster.kit.endpoints.openapi.batch import TAG, batch_operation
from muster.kit.endpoints.openapi.examples import Schema
from muster.kit.endpoints.openapi.operations import Operations
from muster.kit.endpoints.openapi.schemas import Schemas
from muster.kit.endpoints.openapi.security import SCHEMES
from muster.kit.endpoints.openapi.stream import TAG as STREAM_TAG
from muster.kit.endpoints.openapi.stream import stream_operation
from muster.kit.endpoints.openapi.undeclared import TAG as SERVICE_TAG
from muster.kit.endpoints.openapi.undeclared import undeclared_paths
from muster.kit.endpoints.rest.batch import PATH
from muster.kit.views.query import QUERIES, Query

_DESCRIPTION = """\
The application backend for communities that meet, compete and pay.

Bodies are JSON. A list is `{items, pageInfo}`; give `pageInfo.endCursor` as `after` for the next page. An error is a
problem document (RFC 9457) with a `code` that does not change. Moments are in ISO 8601, answers in UTC. The same is
there over GraphQL at `/graphql`."""
_HEADERS: dict[str, Schema] = {
    "RequestId": {"description": "Finds this request in the operator's logs.", "schema": {"type": "string"}},
    "Location": {"description": "Where it can be read.", "schema": {"type": "string", "format": "uri-reference"}},
    "Authenticate": {"description": "How to say who calls.", "schema": {"type": "string", "examples": ["Bearer"]}},
    "RetryAfter": {"description": "Seconds to wait.", "schema": {"type": "integer", "examples": [1]}},
    "RateLimit": {
        "description": "The tightest bucket that the request drew from: how many are left (`r`), and in how many seconds "
        "(`t`) all are there again; in a refusal, in how many there is room. Where rates are limited.",
        "schema": {"type": "string", "examples": ['"read";r=299;t=60']},
    },
    "RateLimitPolicy": {
        "description": "Its rule: how many (`q`) in any stretch of so many seconds (`w`).",
        "schema": {"type": "string", "examples": ['"read";q=300;w=60']},
    },
    "XRateLimitLimit": {"description": "As `q` of the policy.", "schema": {"type": "integer", "examples": [300]}},
    "XRateLimitRemaining": {"description": "As `r` of RateLimit.", "schema": {"type": "integer", "examples": [0]}},
    "XRateLimitReset": {"description": "As Retry-After.", "schema": {"type": "integer", "examples": [12]}},
    "IdempotencyReplayed": {
        "description": "Given when an earlier request with the same `Idempotency-Key` did this.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "ETag": {
        "description": "What this answer is, to the byte; give it back as `If-None-Match`, or as `If-Match` with a change.",
        "schema": {"type": "string", "examples": ['"7-f1d2d2f924e986ac86fdf7b3"']},
    },
}
_PARAMETERS: dict[str, Schema] = {
    "Tenant": {
        "name": "X-Tenant",
        "in": "header",
        "description": "Id or slug of the community; the default one when absent.",
        "schema": {"type": "string", "examples": ["chess-club"]},
    },
    "IdempotencyKey": {
        "name": HEADER,
        "in": "header",
        "description": "Makes it safe to send the request again: within 24 hours a repeat with the same key does nothing, "
        "and is answered as the first one was.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": 255,
            "pattern": SHAPE,
            "examples": ["6fbd2b0e-join-1"],
        },
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of an earlier answer; if nothing has changed, the answer is 304 without a body.",
        "schema": {"type": "string", "examples": ['"7-f1d2d2f924e986ac86fdf7b3"']},
    },
}


def openapi_document() -> str:
    """The document as JSON text, the same for the same declarations.

    Raises TypeError when a declaration's docstring names an error that there is not.
    """
    schemas = Schemas()
    operations = Operations(schemas)
    everything: list[Command | Query] = [*COMMANDS.values(), *QUERIES.values()]
    paths: dict[str, Any] = {}
    for declared in sorted(everything, key=lambda each: (each.route.template, each.route.method)):
        paths.setdefault(declared.route.template, {})[declared.route.method.lower()] = operations.of(declared)
    paths[PATH] = {"post": batch_operation(schemas, operations.responses)}
    paths |= undeclared_paths(operations.responses)
    paths[STREAM] = {"get": stream_operation(schemas, operations.responses)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "Muster",
            "version": __version__,
            "summary": "Communities, their people, their events and what is said there.",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The service that this document comes from."}],
        "tags": [
            TAG,
            STREAM_TAG,
            SERVICE_TAG,
            *(_tag(name) for name in sorted({each.documentation.slice for each in everything})),
        ],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.found.items())),
            "responses": dict(sorted(operations.responses.items())),
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": SCHEMES,
        },
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode()


def _tag(name: str) -> Schema:
    """A slice, with the first line of what it says of itself."""
    said = importlib.import_module(f"muster.{name}").__doc__ or ""
    return {"name": name, "description": said.strip().partition("\n")[0]}

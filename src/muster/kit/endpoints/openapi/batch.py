"""The batch, which no slice declares."""

from muster.kit.commands.batch import RunsAlone
from muster.kit.commands.idempotency import IdempotencyNotOffered
from muster.kit.endpoints.openapi.examples import Schema
from muster.kit.endpoints.openapi.refusals import (
    EVERYWHERE,
    OF_A_CALLER,
    RATES,
    WITH_A_BODY,
    WITH_A_KEY,
    problem_responses,
)
from muster.kit.endpoints.openapi.schemas import Schemas
from muster.kit.endpoints.openapi.security import ways_in
from muster.kit.endpoints.rest.batch import BatchInput
from muster.kit.errors import Conflict, Denied, Gone, NotFound, PreconditionFailed

_REFUSALS = [
    *(*EVERYWHERE, *OF_A_CALLER, *WITH_A_BODY),
    *(RunsAlone, IdempotencyNotOffered, Denied, NotFound, Conflict, *WITH_A_KEY, Gone, PreconditionFailed),
]
_RESULT: Schema = {
    "type": "object",
    "description": "What one operation gave: what its own answer would hold.",
    "required": ["status"],
    "properties": {
        "id": {"type": "string", "description": "Of the operation, where it has one."},
        "status": {"type": "integer", "description": "Of HTTP.", "examples": [200]},
        "location": {"type": "string", "format": "uri-reference", "description": "Where what was made can be read."},
        "body": {"description": "Absent where the status is 204."},
    },
}
_RESULTS: Schema = {
    "type": "object",
    "description": "What each operation gave, in their order.",
    "required": ["results"],
    "properties": {
        "results": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/OperationResult"},
            "description": "One for each operation.",
        }
    },
}
_TOLD = """\
All operations happen, in their order and in one transaction, or none does. Each is what a request of its own would be:
it needs the rights that the verb asks for, and finds what those before it did. What they give is read when all is done.

An error is that of the first operation that failed, with its `index` from 0, `method`, `path` and `id` as `operation`; its
code may be any that the operation has by itself. What counts even where it is refused, such as signing in, is only taken
alone (`RUNS_ALONE`). A key is for the batch as a whole."""
_OPERATION: Schema = {"method": "POST", "path": "/api/v1/notifications/reading", "id": "read"}


_PARAMETERS = [{"$ref": f"#/components/parameters/{name}"} for name in ("Tenant", "IdempotencyKey")]
_HEADERS = {
    "X-Request-Id": {"$ref": "#/components/headers/RequestId"},
    **RATES,
    "Idempotency-Replayed": {"$ref": "#/components/headers/IdempotencyReplayed"},
}
TAG = {"name": "batch", "description": "Several operations as one."}
"""What the document says of it as a group."""


def batch_operation(schemas: Schemas, responses: dict[str, Schema]) -> Schema:
    """The entry of `POST /api/v1/batch`. responses: the components that operations share, filled on the way."""
    schemas.found |= {"OperationResult": _RESULT, "BatchResults": _RESULTS}
    result = {"id": "read", "status": 200, "body": {"unreadCount": 0}}
    done: Schema = {
        "description": "All of it is done.",
        "headers": _HEADERS,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/BatchResults"},
                "example": {"results": [result]},
            }
        },
    }
    return {
        "operationId": "batch",
        "summary": "Do several things as one.",
        "description": _TOLD,
        "tags": [TAG["name"]],
        "parameters": _PARAMETERS,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": schemas.input(BatchInput), "example": {"operations": [_OPERATION]}}
            },
        },
        "responses": {"200": done, **problem_responses(_REFUSALS, responses)},
        "security": ways_in(is_safe=False, is_open=True),
    }

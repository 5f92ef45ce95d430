"""Errors in GraphQL's own form: message, locations, path, and the problem of REST as extensions."""

from collections.abc import Sequence
from typing import Any

from graphql import FieldNode, GraphQLError, SourceLocation, get_location

from muster.kit.endpoints.problem import problem
from muster.kit.errors import AppError, BadInput
from muster.kit.metrics import GRAPHQL_ERRORS


class BadOperation(BadInput):
    """The operation cannot be run; `errors` holds every reason with its place in the document."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.errors = errors


class BadDocument(BadOperation):
    """The document is not GraphQL, or not of this schema."""

    code = "GRAPHQL_VALIDATION_FAILED"


def request_errors(error: AppError, request_id: str) -> list[dict[str, Any]]:
    """The `errors` of a response to a request that did not run, which has no `data`; of a bad operation every reason."""
    GRAPHQL_ERRORS.labels(error.code).inc()
    extensions = _extensions(error, request_id)
    if not isinstance(error, BadOperation):
        return [{"message": error.detail, "extensions": extensions}]
    return [
        {"message": each.message, **_locations(each.locations or ()), "extensions": extensions} for each in error.errors
    ]


def field_error(error: AppError, request_id: str, key: str, node: FieldNode) -> dict[str, Any]:
    """The entry of `errors` for a root field that failed: its key in the answer, its node in the document."""
    at = node.loc
    GRAPHQL_ERRORS.labels(error.code).inc()
    places = [] if at is None else [get_location(at.source, at.start)]
    extensions = _extensions(error, request_id)
    return {"message": error.detail, **_locations(places), "path": [key], "extensions": extensions}


def _extensions(error: AppError, request_id: str) -> dict[str, Any]:
    return {"code": error.code, **problem(error, request_id)}


def _locations(places: Sequence[SourceLocation]) -> dict[str, Any]:
    """Places in the document, counted from 1; GraphQL wants no empty list of them."""
    found = [{"line": place.line, "column": place.column} for place in places]
    return {"locations": found} if found else {}

"""Errors as clients see them: `application/problem+json` over REST, and the same in the `extensions` of GraphQL."""

from contextvars import ContextVar
from typing import Any

import msgspec
import structlog
from starlette.types import Scope

from muster.kit.db.failures import as_client_error
from muster.kit.errors import AppError, FieldProblem, TooMany
from muster.kit.metrics import FAULTS, OTHER, RATE_LIMIT_REFUSALS

log = structlog.get_logger()

LARGEST_HEAD = 65_536
"""Bytes of all headers of a request together."""
LARGEST_ADDRESS = 32_768
"""Bytes; a GraphQL document may stand in an address (RFC 9110, 4.1, asks for 8,000 at least)."""


HERE: ContextVar[Scope | None] = ContextVar("HERE", default=None)
"""The request or socket that is served, for whoever tells what failed in it."""


class Fault(AppError):
    """Something went wrong on our side; the request id finds it in our logs."""


class AddressTooLong(AppError):
    """The address is longer than this service reads; send what is long in a body."""

    status, code, title = 414, "ADDRESS_TOO_LONG", "Address too long"


class HeadersTooLarge(AppError):
    """The headers hold more than this service reads; send fewer or shorter ones."""

    status, code, title = 431, "HEADERS_TOO_LARGE", "Headers too large"


def check_head(scope: Scope) -> None:
    """Refuse a request whose head is too large. Raises AddressTooLong, HeadersTooLarge."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > LARGEST_ADDRESS:
        raise AddressTooLong
    if sum(len(name) + len(value) for name, value in scope["headers"]) > LARGEST_HEAD:
        raise HeadersTooLarge


def client_error(error: Exception) -> AppError:
    """What to tell the client. A fault of ours is logged with its trace and told without its text."""
    known = as_client_error(error)
    if known is None:
        FAULTS.inc()
        log.error("request.failed", route=_address(HERE.get()), exc_info=error)
        return Fault()
    if known.status >= 500:
        log.warning("request.unavailable", route=_address(HERE.get()), error=repr(error))
    if isinstance(known, TooMany):
        RATE_LIMIT_REFUSALS.labels(known.code).inc()
    return known


def _address(scope: Scope | None) -> str | None:
    """What was asked, by the template of its address, since an address may hold what is secret."""
    if scope is None:
        return None
    route = scope.get("route")
    return f"{scope.get('method', 'SOCKET')} {OTHER if route is None else route.path}"


def problem(error: AppError, request_id: str) -> dict[str, Any]:
    """The error as RFC 9457 wants it, with our code and the fields concerned."""
    return {
        "type": f"urn:muster:problem:{error.code.lower().replace('_', '-')}",
        "title": error.title,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
        "requestId": request_id,
        "errors": [msgspec.to_builtins(each) for each in error.fields],
        **{name: msgspec.to_builtins(value) for name, value in error.details.items()},
    }


def as_rest_writes_it(error: AppError) -> AppError:
    """The error as REST shows it: a body is the `input` itself, and filters stand flat in an address, so paths do not
    begin with either name.
    """
    fields = tuple(FieldProblem(_flat(each.path), each.code, each.message) for each in error.fields)
    for before, after in zip(error.fields, fields, strict=True):
        if before.path != after.path:
            error.detail = error.detail.replace(f"{before.path}: ", f"{after.path}: " if after.path else "")
    error.fields = fields
    return error


def _flat(path: str) -> str:
    return "" if path == "input" else path.removeprefix("input.").removeprefix("filter.")

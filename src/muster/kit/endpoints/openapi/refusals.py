"""Refusals: which errors an operation may answer with, and how they look."""

import hashlib
from collections import defaultdict
from typing import Any

import msgspec

from muster.kit.caller import (
    Allow,
    KeyNotFromHere,
    TenantArchived,
    TenantDeleting,
    TenantNotFound,
    TenantStatus,
    TenantSuspended,
    gate_refusals,
)
from muster.kit.commands.command import Command
from muster.kit.commands.idempotency import IdempotencyInProgress, IdempotencyMismatch, IdempotencyNotOffered
from muster.kit.endpoints.http import NotAcceptable, TooLarge, UnsupportedMediaType
from muster.kit.endpoints.openapi.examples import Schema
from muster.kit.endpoints.problem import Fault, problem
from muster.kit.endpoints.rendering import ResultGone
from muster.kit.endpoints.rest.location import read_back
from muster.kit.errors import (
    AppError,
    BadInput,
    Invalid,
    NotFound,
    PreconditionFailed,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from muster.kit.views.query import Query
from muster.kit.views.view import View

EVERYWHERE = (BadInput, NotAcceptable, Invalid, TooMany, Fault, Unavailable)
"""What every request may meet."""
OF_A_CALLER = (Unauthenticated, TenantNotFound, TenantSuspended, TenantDeleting, KeyNotFromHere)
"""What may be said of who calls, and from where; of whoever comes in it is not even looked at."""
WITH_A_BODY = (TooLarge, UnsupportedMediaType)
"""What may be said of a body."""
WITH_A_KEY = (IdempotencyMismatch, IdempotencyInProgress)
"""What may be said of an idempotency key."""
_REQUEST_ID = "01934f6e-5a00-7c3d-9b1e-2f4a6c8d0e1f"

RATES: dict[str, Schema] = {
    name: {"$ref": f"#/components/headers/{name.replace('-', '')}"} for name in ("RateLimit", "RateLimit-Policy")
}
"""The headers that tell how a request stands with its rates."""

_OLDER_RATES: dict[str, Schema] = {
    f"X-RateLimit-{name}": {"$ref": f"#/components/headers/XRateLimit{name}"}
    for name in ("Limit", "Remaining", "Reset")
}

Refusal = type[AppError]


def refusals_of(declared: Command | Query) -> list[Refusal]:
    """Every error that clients of an operation may meet: those of every request, of the gate, and its own.

    Raises TypeError when its docstring says that it raises what there is not.
    """
    slots = {}
    if isinstance(declared, Command):
        slots = {"in_person": declared.in_person, "step_up": declared.step_up, "acts": True}
    found = [*EVERYWHERE, *gate_refusals(declared.allow, declared.permission, **slots)]
    found += () if declared.allow is Allow.WHOEVER else OF_A_CALLER
    if isinstance(declared, Command):
        found += () if TenantStatus.ARCHIVED in declared.within else (TenantArchived,)
        found += WITH_A_BODY if declared.route.sends_body else ()
        found += WITH_A_KEY if declared.takes_key else (IdempotencyNotOffered,)
        found += (PreconditionFailed,) if read_back(declared) is not None else ()
        found += (ResultGone,) if issubclass(declared.returns, View) else ()
    elif declared.may_be_missing:
        found.append(NotFound)
    found += declared.refusals
    return list(dict.fromkeys(found))


def problem_responses(refusals: list[Refusal], components: dict[str, Schema]) -> dict[str, Schema]:
    """The responses by status. What may be refused with one status, here and elsewhere, is a component of the document,
    which is added where it is missing.
    """
    by_status: dict[int, list[Refusal]] = defaultdict(list)
    for each in refusals:
        by_status[each.status].append(each)
    found = {}
    for status, alike in sorted(by_status.items()):
        alike.sort(key=lambda each: each.code)
        name = _name(status, alike)
        if name not in components:
            components[name] = _response(alike)
        found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    return found


def _name(status: int, alike: list[Refusal]) -> str:
    """One error's is its own; several have one from their codes, so that it stays while they do."""
    if len(alike) == 1:
        return alike[0].__name__
    digest = hashlib.sha256(" ".join(each.code for each in alike).encode()).hexdigest()
    return f"Refused{status}_{digest[:8]}"


def _response(alike: list[Refusal]) -> Schema:
    lines = [f"`{each.code}`: {each().detail}" for each in alike]
    headers = {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}}
    if alike[0].status == 401:
        headers["WWW-Authenticate"] = {"$ref": "#/components/headers/Authenticate"}
    if alike[0].status == 429 or any("Retry-After" in each().headers for each in alike):
        headers["Retry-After"] = {"$ref": "#/components/headers/RetryAfter"}
    if alike[0].status == 429:
        headers |= RATES | _OLDER_RATES
    return {
        "description": lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines),
        "headers": headers,
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {each.code: {"summary": each.title, "value": _example(each)} for each in alike},
            }
        },
    }


def _example(refusal: Refusal) -> Any:
    if issubclass(refusal, Invalid):
        error: AppError = refusal.field("title", "is required", "REQUIRED")
    elif issubclass(refusal, TooMany):
        bucket = {"retryAfter": 12, "bucket": "read", "currentCount": 300, "maxAllowed": 300}
        error = refusal("At most 300 in 60 seconds (read); come back in 12 seconds.", details=bucket)
    else:
        error = refusal()
    return msgspec.to_builtins(problem(error, _REQUEST_ID))

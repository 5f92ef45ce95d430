"""The small part of HTTP that endpoints need: bodies with a limit, JSON in, JSON out."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from muster.kit.endpoints.problem import problem
from muster.kit.errors import AppError, BadInput

LARGEST_BODY = 1_000_000
"""Bytes; files do not come through here."""


class TooLarge(AppError):
    """The body is larger than this service reads."""

    status, code, title = 413, "PAYLOAD_TOO_LARGE", "Too large"


class UnsupportedMediaType(AppError):
    """Send application/json."""

    status, code, title = 415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"


async def read_json(request: Request) -> Any:
    """The decoded body; None when it is empty.

    Raises TooLarge, UnsupportedMediaType, BadInput.
    """
    body = await _read_body(request)
    if not body:
        return None
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"The body is not JSON: {error}.") from None


async def _read_body(request: Request) -> bytes:
    announced = request.headers.get("content-length", "0")
    if announced.isdigit() and int(announced) > LARGEST_BODY:
        raise TooLarge(f"The body has {announced} bytes, and at most {LARGEST_BODY} are read.")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise TooLarge(f"The body has more than {LARGEST_BODY} bytes.")
    except ClientDisconnect:
        raise BadInput("The body was cut short.") from None
    return bytes(body)


def json_response(body: bytes | str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. What it holds may be personal, so no cache keeps it."""
    return Response(
        body, status, {"cache-control": "private, no-store", **(headers or {})}, media_type="application/json"
    )


def problem_response(error: AppError, request_id: str) -> Response:
    """An error as `application/problem+json`."""
    body = msgspec.json.encode(problem(error, request_id))
    headers = {"cache-control": "no-store", **error.headers}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(body, error.status, headers, media_type="application/problem+json")

"""The small part of HTTP that endpoints need: bodies with a limit, JSON in, JSON out."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from muster.kit.endpoints.problem import problem
from muster.kit.endpoints.tags import known_as
from muster.kit.errors import AppError, BadInput

LARGEST_BODY = 1_000_000
"""Bytes; files do not come through here."""


_UTF_8 = {"charset=utf-8", "charset=utf8"}


class NoSuchAddress(AppError):
    """There is nothing at this address; /openapi.json lists what there is."""

    status, code, title = 404, "NOT_FOUND", "Not found"


class NoSuchMethod(AppError):
    """This address does not take this method; Allow lists those that it takes."""

    status, code, title = 405, "METHOD_NOT_ALLOWED", "Method not allowed"


class TooLarge(AppError):
    """The body is larger than this service reads; send less at once."""

    status, code, title = 413, "PAYLOAD_TOO_LARGE", "Too large"


class UnsupportedMediaType(AppError):
    """Bodies are JSON; send them as application/json."""

    status, code, title = 415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"


class NotAcceptable(AppError):
    """Answers are application/json; say so in Accept, or leave it out."""

    status, code, title = 406, "NOT_ACCEPTABLE", "Not acceptable"


async def read_json(request: Request) -> Any:
    """The decoded body; `msgspec.UNSET` when there is none, which is not the same as `null`.

    Raises TooLarge, UnsupportedMediaType, BadInput.
    """
    body = await _read_body(request)
    if not body:
        return msgspec.UNSET
    media_type, *parameters = (part.strip().lower() for part in request.headers.get("content-type", "").split(";"))
    if media_type != "application/json":
        raise UnsupportedMediaType
    if not {each.replace('"', "") for each in parameters if each.startswith("charset=")} <= _UTF_8:
        raise UnsupportedMediaType("Send the body in UTF-8; JSON has no other encoding.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, without a content encoding.")
    return decode_json(body)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form that a browser sent. Raises TooLarge, UnsupportedMediaType, BadInput as `query_string`."""
    body = await _read_body(request)
    if not body:
        return {}
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("Send a form, application/x-www-form-urlencoded.")
    return read_fields(body)


def decode_json(text: bytes | str, path: str = "") -> Any:
    """JSON as RFC 8259 has it, in UTF-8; names may not repeat, since readers would differ in which one counts.

    path: where it stands, for the error. Raises BadInput.
    """
    try:
        return _DECODER.decode(text.decode() if isinstance(text, bytes) else text)
    except UnicodeDecodeError as error:
        raise BadInput.field(path, f"is not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise BadInput.field(path, "is nested too deeply") from None
    except ValueError as error:
        raise BadInput.field(path, f"is not JSON: {error}") from None


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        (twice, _), *_ = Counter(name for name, _ in members).most_common(1)
        raise BadInput.field(twice, "is given more than once")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is no number that can be held")
    return number


# Not msgspec's, which lets a name repeat and tells neither bad UTF-8 nor half a surrogate pair apart from other faults.
_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_finite)


def query_string(request: Request) -> dict[str, str]:
    """The parameters of the address. Raises BadInput for one that is given twice or is not UTF-8."""
    return read_fields(request.scope["query_string"])


def read_fields(encoded: bytes) -> dict[str, str]:
    """The fields of a query string or form. Raises BadInput for one that is given twice or is not UTF-8."""
    try:
        pairs = parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        raise BadInput("The address or form is not UTF-8.") from None
    return _once(pairs)


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


def readable_response(
    request: Request, content: bytes, tag: str, *, is_personal: bool, media_type: str = "application/json"
) -> Response:
    """What was read, or 304 when the client has just that already (RFC 9110, 13.1.2).

    tag: of the content. is_personal: whether it was read as somebody; then no cache keeps it. Else one may, and asks
    again each time.
    """
    headers = {
        "etag": tag,
        "vary": "Accept, Accept-Encoding, Authorization, Cookie, X-Tenant",
        "cache-control": "private, no-store" if is_personal else "no-cache",
    }
    given = request.headers.get("if-none-match")
    if given is not None and (known := known_as(tag, given)) is not None:
        return Response(status_code=304, headers={**headers, "etag": known})
    return Response(content, 200, {**headers, "content-type": media_type})


def problem_response(error: AppError, request_id: str) -> Response:
    """An error as `application/problem+json`."""
    body = msgspec.json.encode(problem(error, request_id))
    headers = {"cache-control": "no-store", **error.headers}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return Response(body, error.status, headers, media_type="application/problem+json")

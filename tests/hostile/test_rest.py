"""Hostile input: whatever a client sends is answered with a clear 4xx that names the place, and nothing is half-done."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muster.testing.people import Standing
from muster.testing.town import Town, event_input

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS, LOGIN = "/api/v1/events", "/api/v1/auth/login"
DEEP = 100_000
NOBODY = "018f0000-0000-7000-8000-000000000000"
FINE = json.loads(json.dumps(event_input(), default=lambda moment: moment.isoformat()))
UNTITLED = json.dumps({name: value for name, value in FINE.items() if name != "title"}).encode()
LOGIN_BODY = {"email": "a@b.example", "password": "x" * 10}


@dataclass(frozen=True)
class Case:
    """A request and its refusal. path: the field that the answer names; None where there is none."""

    name: str
    status: int
    code: str
    path: str | None = None
    method: str = "POST"
    address: str = EVENTS
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


def _named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=lambda case: case.name)


async def _send(town: Town, case: Case) -> httpx.Response:
    body = case.body if isinstance(case.body, bytes | None) else json.dumps(case.body).encode()
    headers = {**town.client(Standing.MEMBER).headers(), "content-type": "application/json", **case.headers}
    address = case.address.replace("EVENT", str(town.event_id))
    return await town.service.http.request(case.method, address, content=body, headers=headers)


def _assert_problem(response: httpx.Response, case: Case) -> None:
    told = response.json()
    assert (response.status_code, told["code"]) == (case.status, case.code), told
    assert response.headers["content-type"] == "application/problem+json"
    assert told["detail"]
    assert told["requestId"] == response.headers["x-request-id"]
    assert told["status"] == case.status
    if case.path is not None:
        assert [each["path"] for each in told["errors"]] == [case.path], told


def _field(name: str, value: object, path: str, *, code: str = "VALIDATION_ERROR", status: int = 422) -> Case:
    """A new event with one field that is wrong."""
    return Case(name, status, code, path, body={**FINE, path: value})


def _text(name: str, body: bytes, status: int = 400, code: str = "BAD_USER_INPUT", **options: Any) -> Case:
    return Case(name, status, code, body=body, **options)


FIELDS = [
    _field("number for text", 5, "title"),
    _field("text for number", "3", "max"),
    _field("float for int", 2.5, "max"),
    _field("bool for int", True, "max"),
    _field("null for text", None, "title"),
    _field("list for text", ["x"], "title"),
    _field("object for text", {"a": 1}, "title"),
    _field("too short", "ab", "title"),
    _field("too long", "x" * 61, "title"),
    _field("very long", "x" * 900_000, "description"),
    _field("unknown field", 1, "colour"),
    _field("unknown value", "SOMEWHERE", "meetingKind"),
    _field("unknown time zone", "Mars/Olympus", "timezone"),
    _field("naive time", "2031-01-01T10:00:00", "startsAt"),
    _field("no time", "yesterday", "startsAt"),
    _field("a number for a time", 1_900_000_000, "startsAt"),
    _field("an impossible day", "2031-02-30T10:00:00Z", "startsAt"),
    _field("year 10000", "10000-01-01T00:00:00Z", "startsAt"),
    _field("year 0", "0000-01-01T00:00:00Z", "startsAt"),
    _field("offset beyond a day", "2031-01-01T10:00:00+25:00", "startsAt"),
    _field("before year 1 in UTC", "0001-01-01T00:00:00+14:00", "startsAt"),
    _field("after year 9999 in UTC", "9999-12-31T23:59:59-14:00", "endsAt"),
    _field("below the least", 0, "min"),
    _field("above the most", 100_000, "max"),
    _field("beyond 63 bits", 2**63, "max"),
    _field("beyond 64 bits", -(2**64), "min"),
    _field("beyond all measure", 10**400, "max"),
    _field("off the map", 90.5, "latitude"),
    _field("NaN as text", "NaN", "latitude"),
    _field("U+0000", "an evening\x00", "title", status=400, code="BAD_USER_INPUT"),
    _field("half a surrogate pair", "an evening \ud800", "title", status=400, code="BAD_USER_INPUT"),
    Case("missing field", 422, "VALIDATION_ERROR", "title", body={k: v for k, v in FINE.items() if k != "title"}),
    Case("U+0000 in a name", 400, "BAD_USER_INPUT", body={**FINE, "ti\x00tle": 1}),
    Case("inside a list", 422, "VALIDATION_ERROR", "answers[0].text", address=f"{EVENTS}/EVENT/members",
         body={"answers": [{"questionId": NOBODY, "text": 5}]}),
    Case("path in the body", 400, "BAD_USER_INPUT", address=f"{EVENTS}/EVENT/members", body={"eventId": "x"}),
]  # fmt: skip


@_named(FIELDS)
async def test_fields(case: Case, town: Town) -> None:
    _assert_problem(await _send(town, case), case)


BODIES = [
    Case("no body", 422, "VALIDATION_ERROR"),
    Case("array", 422, "VALIDATION_ERROR", body=[]),
    Case("text", 422, "VALIDATION_ERROR", body="x"),
    Case("null", 422, "VALIDATION_ERROR", body=b"null"),
    Case("null where arguments are named", 400, "BAD_USER_INPUT", address=f"{EVENTS}/EVENT/members", body=b"null"),
    Case("array where arguments are named", 400, "BAD_USER_INPUT", address=LOGIN, body=[1]),
    _text("cut off", b'{"title": "An eve'),
    _text("two documents", b"{}{}"),
    _text("NaN", b'{"latitude": NaN}'),
    _text("Infinity", b'{"latitude": Infinity}'),
    _text("1e999", b'{"latitude": 1e999}'),
    _text("a comment", b'{/**/"a":1}'),
    _text("bad UTF-8", b'{"title": "\xff\xfe"}'),
    _text("an overlong NUL", b'{"title": "\xc0\x80"}'),
    _text("a surrogate in UTF-8", b'{"title": "\xed\xa0\x80"}'),
    _text("UTF-16", '{"title": "x"}'.encode("utf-16")),
    _text("a byte order mark", b'\xef\xbb\xbf{"title": "x"}'),
    _text("a raw control character", b'{"title": "a\x01b"}'),
    _text("deep arrays", b"[" * DEEP),
    _text("deep arrays, closed", b"[" * DEEP + b"]" * DEEP),
    _text("deep objects", b'{"a":' * DEEP),
    _text("deep but readable", UNTITLED[:-1] + b', "title": ' + b"[" * 900 + b"]" * 900 + b"}", 422, "VALIDATION_ERROR",
          path="title"),
    _text("a name twice", b'{"email": "a@b.example", "email": "c@d.example", "password": "x"}',
          address=LOGIN, path="email"),
    _text("gzip", b"\x1f\x8b\x08\x00", 415, "UNSUPPORTED_MEDIA_TYPE", headers={"content-encoding": "gzip"}),
    *(
        _text(f"content type {kind!r}", b'{"title": "x"}', 415, "UNSUPPORTED_MEDIA_TYPE", headers={"content-type": kind})
        for kind in ("", "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "multipart/form-data",
                     "text/plain; application/json")
    ),
    _text("10 MB", b'"' + b"x" * 10_000_000 + b'"', 413, "PAYLOAD_TOO_LARGE"),
]  # fmt: skip


@_named(BODIES)
async def test_bodies(case: Case, town: Town) -> None:
    _assert_problem(await _send(town, case), case)


def _get(name: str, query: str, path: str | None = None, status: int = 400, code: str = "BAD_USER_INPUT") -> Case:
    return Case(name, status, code, path, "GET", f"{EVENTS}{query}")


def _cursor(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_NEAR = "near[latitude]=52&near[longitude]=21&near[radiusKm]=5"
ADDRESSES = [
    _get("negative size", "?first=-1", "first"),
    _get("size too large", "?first=101", "first"),
    _get("size beyond 64 bits", f"?first={10**30}", "first"),
    _get("size beyond all measure", f"?last={'9' * 6000}", "last", 422, "VALIDATION_ERROR"),
    _get("size as text", "?first=many", "first", 422, "VALIDATION_ERROR"),
    _get("size as float", "?first=1.5", "first", 422, "VALIDATION_ERROR"),
    _get("null for a size", "?first=null", "first", 422, "VALIDATION_ERROR"),
    _get("null for a value", "?joinMode=NULL", "joinMode[0]", 422, "VALIDATION_ERROR"),
    _get("no size", "?first=", "first", 422, "VALIDATION_ERROR"),
    _get("both ways", "?first=1&last=1"),
    _get("after with last", "?last=1&after=x"),
    _get("no cursor", "?after=%27%22", "after"),
    _get("empty cursor", "?after=", "after"),
    _get("cursor that is not ASCII", "?after=%C4%85", "after"),
    _get("cursor of nothing", f"?after={_cursor('x')}", "after"),
    _get("cursor of another service", f"?before={_cursor('a' * 3000)}&last=1", "before"),
    _get("unknown order", "?order=UPSIDE_DOWN", "order"),
    _get("order without its filter", "?order=RELEVANCE", "order"),
    _get("unknown parameter", "?colour=red", "colour", 422, "VALIDATION_ERROR"),
    _get("naive time", "?startsAfter=2031-01-01T00:00:00", "startsAfter", 422, "VALIDATION_ERROR"),
    _get("a number for a time", "?startsAfter=5", "startsAfter", 422, "VALIDATION_ERROR"),
    _get("outside the calendar", "?startsAfter=9999-12-31T23:59:59-14:00", "startsAfter", 422, "VALIDATION_ERROR"),
    _get("unknown value", "?joinMode=MAYBE", "joinMode[0]", 422, "VALIDATION_ERROR"),
    _get("no id", "?ownerId=me", "ownerId", 422, "VALIDATION_ERROR"),
    _get("near as one", "?near=52,21,5", "near", 422, "VALIDATION_ERROR"),
    _get("near without a radius", "?near[latitude]=52&near[longitude]=21", "near.radiusKm", 422, "VALIDATION_ERROR"),
    _get("near with more", f"?{_NEAR}&near[height]=3", "near.height", 422, "VALIDATION_ERROR"),
    _get("near whole and in parts", f"?{_NEAR}&near=3", "near", 422, "VALIDATION_ERROR"),
    _get("parts of a word", "?joinMode[x]=OPEN", "joinMode", 422, "VALIDATION_ERROR"),
    _get("a word and its parts", "?joinMode=OPEN&joinMode[x]=1", "joinMode[x]", 422, "VALIDATION_ERROR"),
    _get("NaN for a radius", "?near[latitude]=1&near[longitude]=1&near[radiusKm]=NaN", "near.radiusKm", 422,
         "VALIDATION_ERROR"),
    _get("an infinite latitude", "?near[latitude]=inf&near[longitude]=1&near[radiusKm]=1", "near.latitude", 422,
         "VALIDATION_ERROR"),
    _get("too exact a latitude", "?near[latitude]=1e999&near[longitude]=1&near[radiusKm]=1", "near.latitude", 422,
         "VALIDATION_ERROR"),
    _get("distance without a point", "?order=DISTANCE", "order"),
    _get("a filter as one", "?filter=x", "filter"),
    _get("a parameter twice", "?first=1&first=2", "first"),
    _get("U+0000", "?text=%00", "text"),
    _get("bad UTF-8", "?text=%ff"),
    _get("a surrogate in UTF-8", "?text=%ed%a0%80"),
    *(
        _get(f"id {word[:12]!r}", f"/{word}", "id", 422, "VALIDATION_ERROR")
        for word in ("1", "null", "%ff", "%F0%9F%98%80", "x" * 5000, "..%5c..", "%20", "me", "%27%20or%201=1--", "{id}")
    ),
    _get("id with U+0000", "/%00", "id"),
    _get("an id twice", f"/{NOBODY}?id={NOBODY}", "id"),
    Case("id of a member", 422, "VALIDATION_ERROR", "userId", "DELETE", f"{EVENTS}/EVENT/members/everybody"),
    Case("argument twice", 400, "BAD_USER_INPUT", "note", "DELETE", f"{EVENTS}/EVENT/members/{NOBODY}?note=a&note=b"),
    *(
        Case(f"nothing at {path}", 404, "NOT_FOUND", None, "GET", path)
        for path in ("/api", "/api/v1/eventz", "/api/v1/events/", "//api/v1/events", "/api/v1/events/a/b/c",
                     "/api/v1/%65vents%2f", "/%00", "/%ff", "/..%2f..%2fetc/passwd", "/" + "a" * 5000)
    ),
    *(
        Case(f"{method} events", 405, "METHOD_NOT_ALLOWED", None, method, EVENTS)
        for method in ("PUT", "PATCH", "DELETE", "TRACE", "PROPFIND")
    ),
]  # fmt: skip


@_named(ADDRESSES)
async def test_addresses(case: Case, town: Town) -> None:
    _assert_problem(await _send(town, case), case)


def _token(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


CLAIMS = {"iss": "muster", "sub": NOBODY, "sid": NOBODY, "iat": 1, "exp": 4_000_000_000}
FOREIGN = jwt.encode(CLAIMS, Ed25519PrivateKey.generate(), algorithm="EdDSA")
DEEP_HEADER = base64.urlsafe_b64encode(b'{"a":' + b"[" * 20_000).decode().rstrip("=")
AUTHORIZATIONS = {
    "empty": "",
    "Bearer alone": "Bearer",
    "Basic": "Basic YTpi",
    "no scheme": "abc",
    "not ASCII": "Bearer ąę😀",
    "garbage": "Bearer a.b.c",
    "dots": "Bearer ..",
    "alg none": "Bearer " + _token({"alg": "none", "typ": "JWT"}, CLAIMS),
    "alg None, signed": "Bearer " + _token({"alg": "None"}, CLAIMS, b"x"),
    "alg HS256": "Bearer " + jwt.encode(CLAIMS, "x" * 32, algorithm="HS256"),
    "alg is a list": "Bearer " + _token({"alg": ["EdDSA"]}, CLAIMS, b"x"),
    "a foreign key": f"Bearer {FOREIGN}",
    "critical extension": "Bearer " + _token({"alg": "EdDSA", "crit": ["b64"], "b64": False}, CLAIMS, b"x" * 64),
    "deep header": f"Bearer {DEEP_HEADER}.e30.eA",
    "very long": "Bearer " + "a" * 50_000,
}


@pytest.mark.parametrize("name", AUTHORIZATIONS)
async def test_authorization(name: str, town: Town) -> None:
    headers = {"authorization": AUTHORIZATIONS[name]}
    raw = [(key.encode(), value.encode()) for key, value in headers.items()]
    response = await town.service.http.get("/api/v1/me", headers=raw)
    _assert_problem(response, Case(name, 401, "UNAUTHENTICATED"))
    assert response.headers["www-authenticate"] == "Bearer"
    graphql = await town.service.http.post("/graphql", json={"query": "{me{id}}"}, headers=raw)
    assert (graphql.status_code, graphql.json()["errors"][0]["extensions"]["code"]) == (401, "UNAUTHENTICATED")


async def test_tampered_tokens(town: Town) -> None:
    good = town.client(Standing.MEMBER).headers()["authorization"]
    head, body, signature = good.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    expired = base64.urlsafe_b64encode(json.dumps({**claims, "exp": 1}).encode()).decode().rstrip("=")
    for token in (f"{head}.{body}.{signature[:-4]}AAAA", f"{head}.{body}", f"{head}.{expired}.{signature}", good[:-9]):
        response = await town.service.http.get("/api/v1/me", headers={"authorization": token})
        _assert_problem(response, Case(token, 401, "UNAUTHENTICATED"))


@pytest.mark.parametrize(
    "tenant", ["", "no-such", "ąę", "'; drop table tenants; --", "x" * 20_000, NOBODY, "platform",
               "00000000-0000-7000-8000-000000000000", "{00000000-0000-7000-8000-00000000000}", "a,b", "%00"]
)  # fmt: skip
async def test_tenants(tenant: str, town: Town) -> None:
    headers = [*town.client(Standing.MEMBER).headers().items()]
    raw = [(key.encode(), value.encode()) for key, value in headers if key != "x-tenant"]
    response = await town.service.http.get("/api/v1/me", headers=[*raw, (b"x-tenant", tenant.encode())])
    _assert_problem(response, Case(tenant, 404, "TENANT_NOT_FOUND"))


async def test_host_header_garbage(town: Town) -> None:
    for host in ("[", "a b", "😀", ""):
        raw = [(b"host", host.encode())]
        response = await town.service.http.get("/graphql?query={__typename}", headers=raw)
        assert response.status_code in (200, 400), host

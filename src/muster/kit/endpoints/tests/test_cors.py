"""CORS: pages of listed origins read answers, with credentials; those of others do not."""

from collections.abc import AsyncIterator
from functools import partial

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.cors import open_to
from muster.kit.endpoints.frame import Frame
from muster.testing.serving import Service, serving_in_process

OURS, ALSO_OURS, FOREIGN = "https://app.example", "http://localhost:3000", "https://evil.example"
ASKED = {"access-control-request-method": "PATCH", "access-control-request-headers": "authorization,x-tenant"}


@pytest.fixture
async def service(urls: Urls) -> AsyncIterator[Service]:
    async with serving_in_process(urls, CORS_ORIGINS=f"{OURS}, {ALSO_OURS}", MUSTER_ENV="production") as service:
        yield service


def _let_in(response: httpx.Response) -> str | None:
    found: str | None = response.headers.get("access-control-allow-origin")
    return found


async def test_listed_origins_read_answers(service: Service) -> None:
    for origin in (OURS, ALSO_OURS):
        for address in ("/api/v1/events", "/api/v1/me", "/api/v1/nothing", "/graphql", "/openapi.json"):
            response = await service.http.get(address, headers={"origin": origin})
            assert _let_in(response) == origin, address
            assert response.headers["access-control-allow-credentials"] == "true"
            shown = {each.strip().lower() for each in response.headers["access-control-expose-headers"].split(",")}
            assert {"etag", "location", "retry-after", "ratelimit", "idempotency-replayed", "x-request-id"} <= shown
            assert "Origin" in response.headers["vary"]


async def test_listed_origins_read_what_went_wrong(service: Service) -> None:
    for address, headers, status in (
        ("/api/v1/events?city=" + "x" * 40_000, {}, 414),
        ("/api/v1/events", {"x-long": "x" * 70_000}, 431),
        ("/api/v1/events", {"accept": "text/csv"}, 406),
    ):
        response = await service.http.get(address, headers={"origin": OURS, **headers})
        assert (response.status_code, _let_in(response)) == (status, OURS)
        assert response.headers["vary"].split(", ").count("Origin") == 1
        foreign = await service.http.get(address, headers={"origin": FOREIGN, **headers})
        assert (foreign.status_code, _let_in(foreign)) == (status, None)


async def test_listed_origins_read_faults_of_ours() -> None:
    async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("on purpose")

    app = Frame(fails, (), partial(open_to, (OURS,), is_production=True), logs=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://muster.test") as http:
        response = await http.get("/", headers={"origin": OURS})
    assert (response.status_code, _let_in(response)) == (500, OURS)
    assert response.json()["code"] == "INTERNAL_SERVER_ERROR"
    assert "on purpose" not in response.text


async def test_listed_origins_may_ask_first(service: Service) -> None:
    response = await service.http.options("/api/v1/events/1", headers={"origin": OURS, **ASKED})
    assert response.status_code == 200
    assert _let_in(response) == OURS
    assert response.headers["access-control-max-age"] == "86400"
    assert "PATCH" in response.headers["access-control-allow-methods"]
    assert "X-Tenant" in response.headers["access-control-allow-headers"]


@pytest.mark.parametrize("origin", [FOREIGN, "null", f"{OURS}.evil.example", f"{OURS}:8443", OURS.upper()])
async def test_others_do_not(origin: str, service: Service) -> None:
    assert _let_in(await service.http.get("/api/v1/events", headers={"origin": origin})) is None
    asked = await service.http.options("/api/v1/events", headers={"origin": origin, **ASKED})
    assert (asked.status_code, _let_in(asked)) == (400, None)


async def test_caches_keep_answers_to_origins_apart(service: Service) -> None:
    response = await service.http.get("/api/v1/events")
    assert _let_in(response) is None
    assert "Origin" in response.headers["vary"]


async def test_any_origin_comes_without_credentials(urls: Urls) -> None:
    async with serving_in_process(urls, CORS_ORIGINS="*") as service:
        response = await service.http.get("/api/v1/events", headers={"origin": FOREIGN, "cookie": "a=b"})
        asked = await service.http.options("/api/v1/events", headers={"origin": FOREIGN, **ASKED})
    assert _let_in(response) == _let_in(asked) == "*"
    assert "access-control-allow-credentials" not in {**response.headers, **asked.headers}
    assert asked.headers["access-control-max-age"] == "600"


async def test_no_setting_lets_nobody_in(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV="production") as service:
        assert _let_in(await service.http.get("/api/v1/events", headers={"origin": OURS})) is None

"""Every answer is armoured, whoever makes it: the endpoints, the pages, the router, or the frame itself."""

import pytest

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.pages.assets import asset
from muster.testing.serving import serving_in_process

ADDRESSES = {
    "/api/v1/events": 200,
    "/api/v1/me": 401,
    "/api/v1/nothing": 404,
    "/graphql?query={__typename}": 200,
    "/graphql": 400,
    "/openapi.json": 200,
    "/health/live": 200,
    "/": 200,
    "/docs": 200,
    asset("muster.css"): 200,
    "/api/v1/events?city=" + "x" * 40_000: 414,
}


@pytest.mark.parametrize("environment", ["development", "production"])
async def test_every_answer_is_armoured(environment: str, urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV=environment) as service:
        for address, status in ADDRESSES.items():
            response = await service.http.get(address)
            assert response.status_code == status, address
            _assert_armoured(dict(response.headers), is_production=environment == "production")
        refused = await service.http.request("BREW", "/openapi.json")
        _assert_armoured(dict(refused.headers), is_production=environment == "production")


def _assert_armoured(headers: dict[str, str], *, is_production: bool) -> None:
    # Of a header that came twice both values stand here, with a comma between.
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in policy.get("script-src", policy["default-src"])
    assert policy["default-src"] in ("'self'", "'none'")
    assert ("strict-transport-security" in headers) == is_production
    assert headers["cross-origin-resource-policy"] == ("same-origin" if is_production else "cross-origin")


OURS = "https://app.example"
READ, PREFLIGHT, REFUSED = "read", "preflight", "refused"
HEADERS: list[tuple[str, str, str | None, str | None]] = [
    (READ, "strict-transport-security", "max-age=31536000; includeSubDomains; preload", None),
    (READ, "x-content-type-options", "nosniff", "nosniff"),
    (READ, "referrer-policy", "no-referrer", "no-referrer"),
    (READ, "cross-origin-opener-policy", "same-origin", "same-origin"),
    (READ, "cross-origin-resource-policy", "same-origin", "cross-origin"),
    (READ, "access-control-allow-origin", OURS, OURS),
    (READ, "access-control-allow-credentials", "true", "true"),
    (READ, "cache-control", "no-cache", "no-cache"),
    (READ, "server", None, None),
    (READ, "x-powered-by", None, None),
    (PREFLIGHT, "access-control-allow-origin", OURS, OURS),
    (PREFLIGHT, "access-control-max-age", "86400", "600"),
    (PREFLIGHT, "strict-transport-security", "max-age=31536000; includeSubDomains; preload", None),
    (REFUSED, "access-control-allow-origin", OURS, OURS),
    (REFUSED, "cache-control", "no-store", "no-store"),
    (REFUSED, "www-authenticate", "Bearer", "Bearer"),
    (REFUSED, "strict-transport-security", "max-age=31536000; includeSubDomains; preload", None),
]
"""What of each answer stands in a header: in production, and in development; None where it is not there."""


@pytest.mark.parametrize("environment", ["production", "development"])
async def test_each_environment_says_what_it_should(environment: str, urls: Urls) -> None:
    origin = {"origin": OURS}
    async with serving_in_process(urls, MUSTER_ENV=environment, CORS_ORIGINS=OURS) as service:
        answers = {
            READ: await service.http.get("/api/v1/events", headers=origin),
            PREFLIGHT: await service.http.options(
                "/api/v1/events", headers={**origin, "access-control-request-method": "POST"}
            ),
            REFUSED: await service.http.get("/api/v1/me", headers=origin),
        }
    assert [each.status_code for each in answers.values()] == [200, 200, 401]
    found = [(answer, name, answers[answer].headers.get(name)) for answer, name, *_ in HEADERS]
    column = 2 if environment == "production" else 3
    assert found == [(each[0], each[1], each[column]) for each in HEADERS]

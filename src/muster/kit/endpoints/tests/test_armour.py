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


async def test_browsers_stay_with_tls_for_a_year(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_ENV="production") as service:
        kept = (await service.http.get("/health/live")).headers["strict-transport-security"]
    assert kept == "max-age=31536000; includeSubDomains; preload"

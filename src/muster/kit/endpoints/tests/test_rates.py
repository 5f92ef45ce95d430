"""One limit holds over REST, GraphQL and sockets, and no header makes a client somebody else."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from muster.kit.db.migrate import Urls
from muster.kit.endpoints.tests.sites import opened
from muster.kit.limiter import Limiter
from muster.kit.limits import LIMITS, READ, Rule
from muster.kit.realtime.tests.support import Community
from muster.kit.sources import SettingError
from muster.settings import Settings
from muster.testing.serving import serving_in_process

ALIASES = 20
_DOCUMENT = "{" + " ".join(f"a{each}: events(first: 1) {{ nodes {{ id }} }}" for each in range(ALIASES)) + "}"
_EVENTS = "/api/v1/events"


async def test_a_verb_has_one_limit_over_rest_and_graphql(urls: Urls) -> None:
    (rule,) = LIMITS[READ]
    async with serving_in_process(urls, MUSTER_RATE_LIMITS="on") as service:
        for _ in range(rule.most // ALIASES - 1):
            answer = await service.http.post("/graphql", json={"query": _DOCUMENT})
            assert "data" in answer.json()
        assert (await service.http.get(_EVENTS)).status_code == 200
        # One place too few is left for the document, and it takes none of them.
        asked = await service.http.post("/graphql", json={"query": _DOCUMENT})
        _assert_refused(asked, asked.json()["errors"][0]["extensions"], rule, used=rule.most - ALIASES + 1)
        for _ in range(ALIASES - 1):
            assert (await service.http.get(_EVENTS)).status_code == 200
        listed = await service.http.get(_EVENTS)
        _assert_refused(listed, listed.json(), rule, used=rule.most)


def _assert_refused(answer: httpx.Response, told: dict[str, Any], rule: Rule, *, used: int) -> None:
    assert (answer.status_code, told["code"], told["bucket"]) == (429, "RATE_LIMIT_EXCEEDED", "read")
    assert (told["currentCount"], told["maxAllowed"]) == (used, rule.most)
    after = str(told["retryAfter"])
    assert (answer.headers["retry-after"], answer.headers["x-ratelimit-reset"]) == (after, after)
    assert answer.headers["ratelimit"] == f'"read";r={rule.most - used};t={after}'
    assert answer.headers["ratelimit-policy"] == f'"read";q={rule.most};w={rule.seconds}'


async def test_a_socket_is_told_and_stays_open(town: Community) -> None:
    limiter = Limiter({READ: (Rule(1, 60),)})
    limited = replace(town, services=replace(town.services, limiter=limiter))
    owner = await town.person("Owner")
    async with opened(limited) as site, site.client(owner) as client:
        await client.run("1", "{ events(first: 1) { nodes { id } } }")
        assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await client.run("2", "{ events(first: 1) { nodes { id } } }")
        refused = await client.receive()
        assert (refused["id"], refused["type"]) == ("2", "error")
        assert refused["payload"][0]["extensions"]["bucket"] == "read"
        await client.send(type="ping")
        assert (await client.receive())["type"] == "pong"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "is_another"),
    [
        ("", "198.51.100.{}", False),
        ("203.0.113.0/24", "198.51.100.{}", False),
        ("127.0.0.0/8", "198.51.100.{}", True),
        ("127.0.0.0/8", "198.51.100.{}, 192.0.2.1", False),
        ("127.0.0.0/8, 192.0.2.1", "198.51.100.{}, 192.0.2.1", True),
        ("127.0.0.0/8", "nonsense{}", False),
    ],
)
async def test_only_the_word_of_a_trusted_proxy_counts(
    urls: Urls, trusted: str, forwarded: str, is_another: bool
) -> None:
    environ = {"MUSTER_RATE_LIMITS": "on", "MUSTER_TRUSTED_PROXIES": trusted, "MUSTER_ENV": "production"}
    async with serving_in_process(urls, **environ) as service:
        statuses = [
            (await service.http.get("/api/v1/me", headers={"x-forwarded-for": forwarded.format(each)})).status_code
            for each in range(101)
        ]
        assert statuses == [401] * 100 + [401 if is_another else 429]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"MUSTER_ENV": "production", "MUSTER_RATE_LIMITS": "off"}, "MUSTER_RATE_LIMITS is off, which production"),
        ({"MUSTER_TRUSTED_PROXIES": "10.0.0.1/8"}, "MUSTER_TRUSTED_PROXIES must hold networks"),
    ],
)
def test_settings_that_would_leave_it_open_are_refused(environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        Settings.load({"JWT_SECRET": "x" * 32, **environ})

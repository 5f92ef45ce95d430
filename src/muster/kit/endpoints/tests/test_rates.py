"""One limit holds over REST, GraphQL and sockets, and no header makes a client somebody else."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest

from muster.kit.db import alone
from muster.kit.db.database import connect
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.tests.sites import opened
from muster.kit.limiter import Limiter
from muster.kit.limits import READ, Rule
from muster.kit.processes import CannotRun
from muster.kit.realtime.tests.support import Community
from muster.kit.sources import SettingError
from muster.main import limits_in_force
from muster.settings import Settings
from muster.testing.serving import Service, serving, serving_in_process
from muster.testing.throwaway import throwaway_store

ALIASES = 20
_DOCUMENT = "{" + " ".join(f"a{each}: events(first: 1) {{ nodes {{ id }} }}" for each in range(ALIASES)) + "}"
_EVENTS = "/api/v1/events"


async def test_a_verb_has_one_limit_over_rest_and_graphql(urls: Urls) -> None:
    (rule,) = READ.rules
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


@pytest.mark.parametrize("way", [serving, serving_in_process])
async def test_an_answer_tells_what_is_left(
    urls: Urls, way: Callable[..., AbstractAsyncContextManager[Service]]
) -> None:
    async with way(urls, MUSTER_RATE_LIMITS="on", MUSTER_LIMITS="read=5/60 global=9/30") as service:
        first = await service.http.get(_EVENTS)
        assert (first.headers["ratelimit"], first.headers["ratelimit-policy"]) == ('"read";r=4;t=60', '"read";q=5;w=60')
        asked = await service.http.post("/graphql", json={"query": "{ events(first: 1) { nodes { id } } }"})
        assert asked.headers["ratelimit"] == '"read";r=3;t=60'
        for _ in range(5):
            await service.http.post("/graphql", json={"query": "{ __typename }"})
        told = await service.http.post("/graphql", json={"query": "{ __typename }"})
        assert told.headers["ratelimit"] == '"global";r=1;t=30'
        await service.http.get("/api/v1/me", headers={"authorization": "Bearer nonsense"})
        over = await service.http.get("/api/v1/me", headers={"authorization": "Bearer nonsense"})
        assert (over.status_code, over.json()["bucket"]) == (429, "global"), "who guesses tokens is counted"


async def test_a_form_draws_as_the_verb_it_leads_to(urls: Urls) -> None:
    async with serving_in_process(urls, MUSTER_RATE_LIMITS="on", MUSTER_LIMITS="auth=2/900") as service:
        sent = [(await service.http.post("/forgot", data={"email": "a@example.org"})).status_code for _ in range(3)]
        assert sent == [200, 200, 429]


async def test_two_services_hold_one_limit_in_the_store_and_serve_on_without_it(urls: Urls) -> None:
    async with AsyncExitStack() as held:
        store = held.enter_context(throwaway_store())
        environ = {"MUSTER_RATE_LIMITS": "on", "REDIS_URL": store.url, "MUSTER_LIMITS": "read=4/60 auth=3/900"}
        one, other = [await held.enter_async_context(serving_in_process(urls, **environ)) for _ in range(2)]
        both = (one, other)
        reads = [(await both[each % 2].http.get(_EVENTS)).status_code for each in range(6)]
        assert reads == [200] * 4 + [429] * 2
        store.stop()
        assert [await _signs_in(each) for each in both] == [503, 503]
        reads = [(await other.http.get(_EVENTS)).status_code for _ in range(5)]
        assert reads == [200] * 4 + [429], "each counts for itself meanwhile"
        ready = (await one.http.get("/health/ready")).json()
        assert (ready["status"], ready["checks"]["redis"]["status"]) == ("degraded", "degraded")
        assert (await one.http.get("/health")).json() == {"ok": True, "db": True, "redis": False}
        store.start()
        async with asyncio.timeout(10):
            while not (await one.http.get("/health")).json()["redis"]:  # noqa: ASYNC110 - it is asked as from outside
                await asyncio.sleep(0.05)
        assert await _signs_in(one) == 401


async def test_a_second_process_that_would_count_apart_does_not_start(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alone, "_PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(alone, "_RETAKE_SECONDS", 0.01)
    async with serving_in_process(urls, MUSTER_RATE_LIMITS="on"):
        with pytest.raises(CannotRun, match=r"Another process of the API serves .* set REDIS_URL"):
            await serving_in_process(urls, MUSTER_RATE_LIMITS="on").__aenter__()
        async with serving_in_process(urls, MUSTER_RATE_LIMITS="off"):
            pass
        # The connection that holds the lock breaks, and the process takes it again.
        holders = (
            "select pid from pg_locks join pg_database on pg_database.oid = pg_locks.database "
            "where locktype = 'advisory' and mode = 'ExclusiveLock' and granted and datname = current_database()"
        )
        (first,) = await _rows(urls, holders)
        await _rows(urls, f"select pg_terminate_backend({first})")
        async with asyncio.timeout(10):
            while await _rows(urls, holders) in ([], [first]):  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.02)
    async with serving_in_process(urls, MUSTER_RATE_LIMITS="on"):
        pass


async def _rows(urls: Urls, question: str) -> list[object]:
    connection = await connect(urls.app)
    try:
        return [row[0] for row in await connection.fetch(question)]
    finally:
        await connection.close()


async def _signs_in(service: Service) -> int:
    given = {"email": "nobody@example.org", "password": "wrong-password-1"}
    answer = await service.http.post("/api/v1/auth/login", json=given)
    if answer.status_code == 503:
        assert (answer.json()["code"], answer.headers["retry-after"]) == ("UNAVAILABLE", "1")
    return answer.status_code


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
        ({"MUSTER_LIMITS": "read=600"}, "MUSTER_LIMITS holds 'read=600': write each limit once"),
        ({"MUSTER_LIMITS": "read=1/60 read=2/60"}, "MUSTER_LIMITS holds 'read=2/60'"),
        ({"MUSTER_LIMITS": "read=1/60,2/60"}, "MUSTER_LIMITS holds"),
        ({"MUSTER_LIMITS": "read=0/60"}, "MUSTER_LIMITS holds"),
        ({"MUSTER_LIMITS": "raed=1/60"}, "MUSTER_LIMITS: there is no limit raed; there are api, auth, "),
        ({"MUSTER_TRUSTED_PROXIES": "10.0.0.1/8"}, "MUSTER_TRUSTED_PROXIES must hold networks"),
    ],
)
def test_settings_that_would_leave_it_open_are_refused(environ: dict[str, str], told: str) -> None:
    with pytest.raises(SettingError, match=told):
        limits_in_force(Settings.load({"JWT_SECRET": "x" * 32, **environ}))

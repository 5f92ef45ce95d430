"""Reads on a real streaming replica: where they may be behind, never for who wrote, never further than allowed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls
from muster.kit.metrics import REPLICA_READS
from muster.kit.processes import CannotRun
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.replica import on_replica, replicating, set_paused
from muster.testing.serving import Service, serving
from muster.testing.throwaway import throwaway_store
from muster.testing.town import Town, make_event, moved

Clone = Callable[..., AbstractContextManager[Urls]]


@pytest.fixture(scope="module")
def replica(server: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    with replicating(server) as replica:
        yield replica


@pytest.fixture(scope="module")
def urls(clone: Clone, model_town: Town, replica: EmbeddedPostgres) -> Iterator[Urls]:
    with clone(model_town.service.urls) as urls:
        yield urls


@asynccontextmanager
async def _following(urls: Urls, replica: EmbeddedPostgres, **environ: str) -> AsyncIterator[Service]:
    """The application with a replica that it reads from; it stands still, or not, as the test says."""
    set_paused(replica, paused=False)
    async with serving(urls, DATABASE_REPLICA_URL=on_replica(replica, urls.app), **environ) as service:
        await _until(lambda: _state(service), "ok")
        yield service


async def _state(service: Service) -> Any:
    """What `ready` says of the replicas. Fails when it says that Muster does not serve."""
    told = await service.http.get("/health/ready")
    assert told.status_code == 200
    return told.json()["checks"]["replicas"]["status"]


async def _until(ask: Callable[[], Any], wanted: object) -> None:
    async with asyncio.timeout(20):
        while await ask() != wanted:  # noqa: ASYNC110 - the other side is a server
            await asyncio.sleep(0.02)


def _reads(by: str) -> float:
    found: float = REPLICA_READS.labels(by)._value.get()
    return found


async def _shown(client: Client, event_id: UUID, way: Way) -> int:
    """How many of two reads show an event: the one of it, and the list."""
    one = await client.call("event", way=way, id=event_id)
    listed = (await client.call("events", way=way, first=100)).ok()
    return (not one.missing) + (str(event_id) in str(listed))


async def test_visitors_may_be_behind_and_who_wrote_is_not(
    urls: Urls, replica: EmbeddedPostgres, model_town: Town
) -> None:
    async with _following(urls, replica, DATABASE_REPLICA_LAG="600") as service:
        town = moved(model_town, service)
        owner, visitor = town.client(Standing.OWNER), town.client(Standing.ANONYMOUS)
        set_paused(replica, paused=True)
        event_id = await make_event(owner)
        for way in Way:
            assert await _shown(owner, event_id, way) == 2
            before = _reads("replica")
            assert await _shown(visitor, event_id, way) == 0
            assert _reads("replica") == before + 2
        set_paused(replica, paused=False)
        for way in Way:
            await _until(partial(_shown, visitor, event_id, way), 2)

        async def owner_reads_there() -> bool:
            before = _reads("replica")
            assert await _shown(owner, event_id, Way.REST) == 2
            return _reads("replica") == before + 2

        await _until(owner_reads_there, True)


async def test_who_wrote_by_another_process_is_not_behind(
    urls: Urls, replica: EmbeddedPostgres, model_town: Town
) -> None:
    with throwaway_store() as store:
        terms = {"DATABASE_REPLICA_LAG": "600", "REDIS_URL": store.url}
        async with _following(urls, replica, **terms) as first, _following(urls, replica, **terms) as second:
            set_paused(replica, paused=True)
            event_id = await make_event(moved(model_town, first).client(Standing.OWNER))
            there = moved(model_town, second)
            assert await _shown(there.client(Standing.OWNER), event_id, Way.REST) == 2
            assert await _shown(there.client(Standing.MEMBER), event_id, Way.REST) == 0


async def test_one_that_is_too_far_behind_is_not_read(urls: Urls, replica: EmbeddedPostgres, model_town: Town) -> None:
    async with _following(urls, replica, DATABASE_REPLICA_LAG="1") as service:
        town = moved(model_town, service)
        set_paused(replica, paused=True)
        event_id = await make_event(town.client(Standing.OWNER))
        await _until(lambda: _state(service), "degraded")
        for way in Way:
            assert await _shown(town.client(Standing.ANONYMOUS), event_id, way) == 2
        set_paused(replica, paused=False)
        await _until(lambda: _state(service), "ok")


async def test_one_that_dies_is_missed_by_nobody(urls: Urls, replica: EmbeddedPostgres, model_town: Town) -> None:
    async with _following(urls, replica) as service:
        town = moved(model_town, service)
        visitor = town.client(Standing.ANONYMOUS)
        stop = asyncio.Event()

        async def reading() -> None:
            while not stop.is_set():
                (await visitor.call("event", id=town.event_id)).ok()

        readers = [asyncio.create_task(reading()) for _ in range(4)]
        replica.stop()
        await _until(lambda: _state(service), "degraded")
        # Not in a thread: the server ends with who started it.
        replica.start()
        await _until(lambda: _state(service), "ok")
        stop.set()
        await asyncio.gather(*readers)


async def test_what_follows_nobody_is_not_read(urls: Urls, model_town: Town) -> None:
    async with serving(urls, DATABASE_REPLICA_URL=urls.app) as service:
        before = _reads("replica")
        assert await _state(service) == "degraded"
        town = moved(model_town, service)
        assert await _shown(town.client(Standing.ANONYMOUS), town.event_id, Way.REST) == 2
        assert _reads("replica") == before


async def test_a_role_that_row_security_does_not_bind_is_refused(urls: Urls, replica: EmbeddedPostgres) -> None:
    database = urls.app.split("?")[0].rpartition("/")[2]
    opening = serving(urls, DATABASE_REPLICA_URL=replica.superuser_url(database))
    with pytest.raises(CannotRun, match="superuser"):
        await opening.__aenter__()

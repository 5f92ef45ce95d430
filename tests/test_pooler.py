"""Through a pooler that lends its connections for one transaction each: all as without one, and back after its death."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from itertools import count
from uuid import UUID

import pytest

from muster.kit.db.database import ThroughPooler, connect
from muster.kit.db.migrate import Urls
from muster.kit.db.opening import sound_database
from muster.kit.processes import CannotRun
from muster.testing.below import ask
from muster.testing.client import Client, Way
from muster.testing.people import Standing, sign_in
from muster.testing.pooler import Pooler, needs_pooler, pooled_environ, pooling
from muster.testing.serving import Service, serving, serving_in_process
from muster.testing.town import Town, make_event, moved
from muster.testing.walk import walk
from muster.testing.work import working

pytestmark = needs_pooler

Clone = Callable[..., AbstractContextManager[Urls]]


@asynccontextmanager
async def _pooled(urls: Urls) -> AsyncIterator[tuple[Pooler, Service]]:
    with pooling(urls) as pooler:
        async with serving(urls, **pooled_environ(urls, pooler)) as service:
            yield pooler, service


async def test_every_endpoint_answers_and_does_the_same(clone: Clone, model_town: Town) -> None:
    with clone(model_town.service.urls) as first, clone(model_town.service.urls) as second:
        async with serving_in_process(first) as direct:
            expected = await walk(model_town, direct, Way.REST, Standing.OWNER)
        async with _pooled(second) as (_, service):
            assert await walk(model_town, service, Way.GRAPHQL, Standing.OWNER) == expected


class Speaker:
    """Somebody who speaks without end. heard: the messages that were acknowledged. refused: how often one was not."""

    def __init__(self, client: Client, event_id: UUID) -> None:
        self.heard: list[str] = []
        self.refused = 0
        self._client, self._event_id = client, event_id

    async def speak(self, until: asyncio.Event) -> None:
        """Join, and say one thing after the other. Fails when an answer is neither a success nor 503."""
        (await self._client.call("joinEvent", eventId=self._event_id)).ok()
        for number in count():
            way, content = tuple(Way)[number % len(Way)], f"word {number} of {id(self)}"
            answer = await self._client.call("sendEventMessage", way=way, eventId=self._event_id, content=content)
            if answer.code is None:
                self.heard.append(content)
            else:
                assert answer.status == 503, answer.problem
                self.refused += 1
            if until.is_set():
                return


async def test_nothing_acknowledged_is_lost_when_it_dies_under_load(clone: Clone, model_town: Town) -> None:
    stop = asyncio.Event()
    with clone(model_town.service.urls) as urls:
        async with _pooled(urls) as (pooler, service), working(urls, **pooled_environ(urls, pooler)) as work:
            event_id = await make_event(moved(model_town, service).client(Standing.OWNER), max=None)
            people = [await sign_in(service, f"speaker {number}") for number in range(8)]
            speakers = [Speaker(person.client, event_id) for person in people]
            speaking = asyncio.gather(*(speaker.speak(stop) for speaker in speakers))
            await _until(speaking, lambda: all(speaker.heard for speaker in speakers))
            pooler.kill()
            await _until(speaking, lambda: all(speaker.refused for speaker in speakers))
            pooler.start()
            heard = [len(speaker.heard) for speaker in speakers]
            await _until(speaking, lambda: all(len(s.heard) > n for s, n in zip(speakers, heard, strict=True)))
            stop.set()
            await speaking
            await work.quiet()
            kept = {row[0] for row in await ask(urls, "select content from messages")}
    assert {content for speaker in speakers for content in speaker.heard} <= kept


async def _until(speaking: "asyncio.Future[list[None]]", so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not so():
            assert not speaking.done(), speaking
            await asyncio.sleep(0.01)


async def test_a_pooler_that_no_setting_names_is_refused(urls: Urls) -> None:
    with pooling(urls) as pooler:
        with pytest.raises(ThroughPooler, match="DATABASE_POOLER=transaction"):
            await connect(pooler.urls.app)
        opening = sound_database(pooler.urls.app, size=1, process="The API", setting="DATABASE_URL")
        with pytest.raises(CannotRun, match="DATABASE_POOLER=transaction"):
            await opening.__aenter__()

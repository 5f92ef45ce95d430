"""Signals and presence: told to who may hear them, at once, in every process, and kept nowhere."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import msgspec
import pytest

from muster.access.gate import GATE
from muster.events.streams import EventTyping
from muster.kit.caller import Claim
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.errors import AppError, Denied, NotFound, Unauthenticated
from muster.kit.ids import new_id
from muster.kit.realtime import feed, presence
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.presence import SharedRegister
from muster.kit.realtime.signals import Signal
from muster.kit.realtime.stream import Stream, StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.realtime.tests.support import Community, community, heard, messages_of, origin_of
from muster.kit.store.address import StoreAddress
from muster.kit.store.store import Store, opened_store
from muster.kit.views.picks import Pick
from muster.testing.throwaway import ThrowawayStore, throwaway_store


@pytest.fixture(scope="module")
def redis() -> Iterator[ThrowawayStore]:
    with throwaway_store() as found:
        yield found


@pytest.fixture
async def stores(redis: ThrowawayStore) -> AsyncIterator[list[Store]]:
    """Of two processes."""
    async with AsyncExitStack() as stack:
        found = [await stack.enter_async_context(opened_store(StoreAddress.of(redis.url))) for _ in range(2)]
        yield [each for each in found if each is not None]


def _request(name: str, event_id: UUID, *keys: str) -> StreamRequest:
    return StreamRequest(
        SUBSCRIPTIONS[name], "it", tuple(Pick(key, key) for key in keys), (), {"event_id": event_id}, None
    )


def typing(event_id: UUID) -> StreamRequest:
    return _request("eventTyping", event_id, "userId", "isTyping")


def presences(event_id: UUID) -> StreamRequest:
    return _request("eventPresence", event_id, "count", "arrived", "left")


async def _next(stream: Stream) -> Any:
    async with asyncio.timeout(10):
        return msgspec.json.decode(await anext(stream))["data"]["it"]


async def _types(hub: Hub, who: Claim, event_id: UUID, *, on: bool = True) -> None:
    await hub.tell("eventTyping", event_id, origin_of(who), lambda user_id: EventTyping(user_id=user_id, is_typing=on))


async def _room(town: Community) -> tuple[Claim, Claim, UUID]:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    event_id = await town.event(owner)
    await town.run(guest, "joinEvent", eventId=event_id)
    return owner, guest, event_id


async def test_who_types_is_told_to_the_others_and_lapses_without_a_database(
    town: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, guest, event_id = await _room(town)
    own_pool = await Database.open(town.urls.app, size=2)
    hub = Hub(own_pool, GATE, town.urls.app)
    async with (
        hub.running(),
        hub.open(typing(event_id), origin_of(owner)) as owners,
        hub.open(typing(event_id), origin_of(guest)) as guests,
    ):
        # From here on there is no database: who follows may tell without it.
        await own_pool.close()
        await _types(hub, guest, event_id)
        assert await _next(owners) == {"userId": str(guest.user_id), "isTyping": True}
        await _types(hub, owner, event_id)
        assert await _next(guests) == {"userId": str(owner.user_id), "isTyping": True}
        await _types(hub, guest, event_id, on=False)
        assert await _next(owners) == {"userId": str(guest.user_id), "isTyping": False}
        monkeypatch.setattr(Signal, "seconds", 0.05)
        await _types(hub, guest, event_id)
        assert [(await _next(owners))["isTyping"] for _ in range(2)] == [True, False]


async def test_whoever_may_not_follow_may_not_tell(town: Community) -> None:
    owner, stranger = await town.person("Owner"), await town.person("Stranger")
    event_id = await town.event(owner)
    refused: list[tuple[Claim, UUID, type[AppError]]] = [
        (stranger, event_id, Denied),
        (stranger, new_id(), NotFound),
        (Claim(town.tenant_id), event_id, Unauthenticated),
    ]
    async with town.hub() as hub:
        for who, topic_id, refusal in refused:
            with pytest.raises(refusal):
                await _types(hub, who, topic_id)
            with pytest.raises(refusal):
                await hub.open(typing(topic_id), origin_of(who)).__aenter__()


async def test_whoever_is_removed_neither_hears_nor_tells(town: Community) -> None:
    owner, guest, event_id = await _room(town)
    async with (
        asyncio.timeout(10),
        town.hub() as hub,
        hub.open(typing(event_id), origin_of(owner)) as owners,
        hub.open(typing(event_id), origin_of(guest)) as guests,
    ):
        await _types(hub, guest, event_id)
        await town.run(owner, "kickMember", eventId=event_id, userId=guest.user_id)
        with pytest.raises(Denied):
            await anext(guests)
        with pytest.raises(Denied):
            await _types(hub, guest, event_id)
        assert [(await _next(owners))["isTyping"] for _ in range(2)] == [True, False]


async def test_processes_hear_each_other_by_the_store_and_themselves_without_it(
    town: Community, stores: list[Store], redis: ThrowawayStore
) -> None:
    owner, guest, event_id = await _room(town)
    async with (
        town.hub(stores[0]) as here,
        town.hub(stores[1]) as there,
        here.open(typing(event_id), origin_of(owner)) as near,
        there.open(typing(event_id), origin_of(owner)) as far,
    ):
        # What it is told comes back by the store, so the store has heard by then that both listen.
        for hub in (here, there):
            await _types(hub, guest, event_id)
        for stream in (near, far):
            assert await _next(stream) == {"userId": str(guest.user_id), "isTyping": True}
        redis.stop()
        async with asyncio.timeout(10):
            while stores[0].is_there:  # noqa: ASYNC110 - it tells only who listens
                await asyncio.sleep(0.01)
        await _types(here, guest, event_id, on=False)
        while (await _next(near))["isTyping"]:
            pass
        redis.start()


async def test_the_store_wakes_who_does_not_hear_the_database(
    urls: Urls, stores: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_POLL_SECONDS", 3_600)
    nowhere = "postgresql://nobody@127.0.0.1:1/nothing"
    async with community(urls, stores[0]) as town:
        owner = await town.person("Owner")
        event_id = await town.event(owner)
        hub = Hub(town.database, GATE, nowhere, stores[1])
        async with hub.running(), hub.open(messages_of(event_id), origin_of(owner)) as stream:
            # What is asked after it, on the same connection, comes after it has been subscribed.
            await stores[1].ask("PING")
            await town.say(owner, event_id, "hello")
            assert (await heard(stream))[0] == "hello"


async def test_a_person_is_there_once_until_the_last_of_their_sockets_has_gone(
    town: Community, stores: list[Store]
) -> None:
    owner, guest, event_id = await _room(town)
    request, both = presences(event_id), sorted(map(str, (owner.user_id, guest.user_id)))
    async with town.hub(stores[0]) as here, town.hub(stores[1]) as there, AsyncExitStack() as stack:
        first = await stack.enter_async_context(here.open(request, origin_of(owner)))
        assert await _next(first) == {"count": 1, "arrived": [str(owner.user_id)], "left": []}
        sockets = AsyncExitStack()
        theirs = [
            await sockets.enter_async_context(hub.open(request, origin_of(guest))) for hub in (here, there, there)
        ]
        assert await _next(first) == {"count": 2, "arrived": [str(guest.user_id)], "left": []}
        assert [await _next(each) for each in theirs] == [{"count": 2, "arrived": both, "left": []}] * 3
        await sockets.aclose()
        assert await _next(first) == {"count": 1, "arrived": [], "left": [str(guest.user_id)]}


async def test_whoever_was_there_by_a_process_that_is_gone_is_gone_soon(
    town: Community, stores: list[Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "_LAPSE_MILLISECONDS", 1_500)
    owner, guest, event_id = await _room(town)
    assert guest.user_id is not None
    killed = SharedRegister(stores[1], "muster:here:")
    async with town.hub(stores[0]) as hub, hub.open(presences(event_id), origin_of(owner)) as stream:
        await _next(stream)
        # Said once, and never again.
        await killed.say(f"{town.tenant_id}:{event_id}:eventPresence", {guest.user_id})
        assert (await _next(stream))["arrived"] == [str(guest.user_id)]
        assert (await _next(stream))["left"] == [str(guest.user_id)]

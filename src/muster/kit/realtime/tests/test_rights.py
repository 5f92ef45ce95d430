"""Streams end, with the reason, when the right to follow their topic does: nobody waits in silence."""

import asyncio
from uuid import UUID

import pytest

from muster.kit.caller import Origin
from muster.kit.errors import Denied, NotFound
from muster.kit.realtime.delivery import Delivery
from muster.kit.realtime.stream import StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS, Subscription
from muster.kit.realtime.tests.support import Community, heard, messages_of, origin_of
from muster.kit.views.picks import Pick


def _follow(name: str, gives: str, event_id: UUID) -> StreamRequest:
    picks = (Pick(gives, gives, picks=(Pick("status", "status"),)),)
    return StreamRequest(SUBSCRIPTIONS[name], "it", picks, (), {"event_id": event_id}, None)


async def test_whoever_is_kicked_is_told_so_and_hears_nothing_more(town: Community) -> None:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    event_id = await town.event(owner)
    await town.run(guest, "joinEvent", eventId=event_id)
    async with (
        town.hub() as hub,
        hub.open(messages_of(event_id), origin_of(owner)) as owners,
        hub.open(messages_of(event_id), origin_of(guest)) as guests,
    ):
        await town.say(owner, event_id, "welcome")
        assert (await heard(guests))[0] == "welcome"
        await town.run(owner, "kickMember", eventId=event_id, userId=guest.user_id)
        # Nothing more is said: it is the removal itself that ends the stream.
        with pytest.raises(Denied):
            await heard(guests)
        with pytest.raises(Denied):
            async with hub.open(messages_of(event_id), origin_of(guest)):
                pytest.fail("subscribed")
        await town.say(owner, event_id, "among ourselves")
        assert [(await heard(owners))[0] for _ in range(2)] == ["welcome", "among ourselves"]


@pytest.mark.parametrize("change", [{"visibility": "HIDDEN"}, None])
async def test_streams_about_an_event_end_for_whoever_cannot_see_it_any_more(
    town: Community, change: dict[str, str] | None
) -> None:
    owner, onlooker = await town.person("Owner"), await town.person("Onlooker")
    event_id = await town.event(owner)
    request = _follow("eventUpdated", "event", event_id)
    async with (
        town.hub() as hub,
        asyncio.timeout(10),
        hub.open(request, origin_of(owner)) as owners,
        hub.open(request, origin_of(onlooker)) as theirs,
    ):
        if change is None:
            await town.run(owner, "unpublishEvent", id=event_id)
        else:
            await town.run(owner, "updateEvent", id=event_id, input=change)
        # That it was published may be heard first.
        with pytest.raises(NotFound):
            [element async for element in theirs]
        assert b"status" in await anext(owners)
        assert not owners.ended


async def test_who_loses_the_right_while_they_are_let_in_does_not_stay(
    town: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    event_id = await town.event(owner)
    await town.run(guest, "joinEvent", eventId=event_id)
    admit = Delivery.admit

    async def kicked_meanwhile(self: Delivery, subscription: Subscription, topic_id: UUID, origin: Origin) -> None:
        await admit(self, subscription, topic_id, origin)
        if origin.claim == guest:
            await town.run(owner, "kickMember", eventId=event_id, userId=guest.user_id)
            while b"KICKED" not in await anext(owners):
                pass

    changes = _follow("membershipChanged", "membership", event_id)
    async with town.hub() as hub, asyncio.timeout(10), hub.open(changes, origin_of(owner)) as owners:
        monkeypatch.setattr(Delivery, "admit", kicked_meanwhile)
        async with hub.open(messages_of(event_id), origin_of(guest)) as theirs:
            with pytest.raises(Denied):
                await heard(theirs)

"""Streams: whole, in order, only for those who may, and never without bound."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import asyncpg
import pytest

from muster.kit.caller import Claim, NotAMember
from muster.kit.errors import AppError, BadInput, Denied, NotFound, Unauthenticated, Unavailable
from muster.kit.realtime.cursors import read_position, stream_tag, write_position
from muster.kit.realtime.delivery import Delivery
from muster.kit.realtime.feed import Feed
from muster.kit.realtime.hub import Hub
from muster.kit.realtime.stream import Resync, Stream, StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.realtime.tests.support import Community, heard, messages_of, origin_of
from muster.kit.views.picks import Pick
from muster.testing.below import change
from muster.testing.thoroughness import as_much_as

MOST_WAITING = 100
"""Fewer than the thousand that are kept for who is served, since each is said for real."""
CUTS = as_much_as(150, thoroughly=1000)
LISTENERS = "from pg_stat_activity where query like 'LISTEN %' and datname = current_database()"


async def _silence_until(stream: Stream, other: Stream, content: str) -> None:
    """What somebody else hears shows that the hub has passed that fact; this stream got nothing for it."""
    while (await heard(other))[0] != content:
        pass
    with pytest.raises(TimeoutError):
        await heard(stream, seconds=0.05)


async def _stands_at(stream: Stream, position: int) -> None:
    """Wait until a stream has come as far as a position."""
    async with asyncio.timeout(10):
        while stream.position < position:  # noqa: ASYNC110 - a stream says nothing of how far it is
            await asyncio.sleep(0.01)


async def _somebody_listens(connection: asyncpg.Connection) -> None:
    """Wait until a hub listens on this database."""
    async with asyncio.timeout(10):
        while not await connection.fetchval(f"select count(*) {LISTENERS}"):  # noqa: ASYNC110 - PostgreSQL tells nobody
            await asyncio.sleep(0.02)


async def _subscribes(hub: Hub, request: StreamRequest, claim: Claim) -> None:
    async with hub.open(request, origin_of(claim)):
        pytest.fail("subscribed")


async def test_a_stream_gives_each_message_once_and_in_order(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    async with town.hub() as hub, hub.open(messages_of(event_id), origin_of(owner)) as stream:
        for number in range(30):
            await town.say(owner, event_id, str(number))
        assert [(await heard(stream))[0] for _ in range(30)] == [str(number) for number in range(30)]


async def test_two_hubs_on_one_database_both_deliver(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    request = messages_of(event_id)
    async with town.hub() as one, town.hub() as two, AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(hub.open(request, origin_of(owner))) for hub in (one, two)]
        await town.say(owner, event_id, "hello")
        assert [(await heard(stream))[0] for stream in streams] == ["hello", "hello"]


async def test_a_notification_that_is_lost_delays_and_loses_nothing(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    deaf = Hub(town.database, town.services.gate, town.urls.app)
    async with deaf.open(messages_of(event_id), origin_of(owner)) as stream:
        await town.say(owner, event_id, "hello")
        assert (await heard(stream))[0] == "hello"


async def test_a_hub_listens_again_when_its_connection_is_lost(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    async with town.hub() as hub, hub.open(messages_of(event_id), origin_of(owner)) as stream:
        await town.say(owner, event_id, "before")
        assert (await heard(stream))[0] == "before"
        async with town.database.connection() as connection:
            assert await connection.fetchval(f"select count(pg_terminate_backend(pid)) {LISTENERS}") == 1
            await _somebody_listens(connection)
        await town.say(owner, event_id, "after")
        assert (await heard(stream))[0] == "after"


async def _write(town: Community, speaker: Claim, event_id: UUID, name: str, done: asyncio.Event) -> list[str]:
    """Say one thing after another; answers with all of it."""
    said: list[str] = []
    while not done.is_set():
        said.append(f"{name}{len(said)}")
        await town.say(speaker, event_id, said[-1])
        await asyncio.sleep(0.01)
    return said


async def _read_with_cuts(
    hubs: Sequence[Hub], reader: Claim, event_id: UUID, after: str, cuts: int
) -> tuple[list[str], str]:
    """Follow over connections to one hub after the other, each cut after two messages, one, or before the first."""
    seen: list[str] = []
    for cut in range(cuts):
        async with hubs[cut % len(hubs)].open(messages_of(event_id, after), origin_of(reader)) as stream:
            for _ in range(cut % 3):
                content, after = await heard(stream)
                seen.append(content)
    return seen, after


async def test_whoever_is_cut_off_again_and_again_sees_every_message_once(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    done = asyncio.Event()
    async with town.hub() as one, town.hub() as two, asyncio.timeout(90):
        async with one.open(messages_of(event_id), origin_of(owner)) as stream:
            await town.say(owner, event_id, "first")
            _, after = await heard(stream)
        writing = [asyncio.create_task(_write(town, owner, event_id, name, done)) for name in "abcd"]
        seen, after = await _read_with_cuts((one, two), owner, event_id, after, CUTS)
        done.set()
        said = await asyncio.gather(*writing)
        async with one.open(messages_of(event_id, after), origin_of(owner)) as stream:
            while len(seen) < sum(map(len, said)):
                seen.append((await heard(stream))[0])
    for own in said:
        assert [content for content in seen if content[0] == own[0][0]] == own
    assert len(seen) == len(set(seen))


async def test_a_cursor_from_a_future_that_was_lost_is_told_to_start_again(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    ahead = write_position(10**9, stream_tag("eventMessageAdded", town.tenant_id, event_id))
    async with town.hub() as hub, hub.open(messages_of(event_id, ahead), origin_of(owner)) as stream:
        with pytest.raises(Resync):
            await heard(stream)


async def test_what_the_topic_must_allow_is_asked_for_every_element(town: Community) -> None:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    event_id = await town.event(owner)
    await town.run(guest, "joinEvent", eventId=event_id)
    async with (
        town.hub() as hub,
        hub.open(messages_of(event_id), origin_of(owner)) as owners,
        hub.open(messages_of(event_id), origin_of(guest)) as guests,
    ):
        # Who keeps the seat in the room sees the message still, so only the topic's own condition refuses.
        await change(town.urls, "update event_members set status = 'LEFT' where user_id = $1", guest.user_id)
        await town.say(owner, event_id, "among ourselves")
        await _silence_until(guests, owners, "among ourselves")


async def test_the_stream_of_a_suspended_member_ends(town: Community) -> None:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    event_id = await town.event(owner)
    await town.run(guest, "joinEvent", eventId=event_id)
    async with town.hub() as hub, hub.open(messages_of(event_id), origin_of(guest)) as stream:
        await change(town.urls, "update members set status = 'SUSPENDED' where user_id = $1", guest.user_id)
        await town.say(owner, event_id, "among ourselves")
        with pytest.raises(NotAMember):
            await heard(stream)


async def test_tenants_are_followed_side_by_side(town: Community) -> None:
    here = await town.person("Owner")
    other = await town.run(here, "createTenant", input={"slug": "elsewhere", "name": "Elsewhere"})
    there = Claim(other.row_id, here.user_id, here.session_id)
    async with town.hub() as hub, AsyncExitStack() as stack:
        events = [(there, await town.event(there)), (here, await town.event(here))]
        for claim, event_id in events:
            stream = await stack.enter_async_context(hub.open(messages_of(event_id), origin_of(claim)))
            await town.say(claim, event_id, "hello")
            assert (await heard(stream))[0] == "hello"
        assert hub.size == 2
        with pytest.raises(NotFound):
            await _subscribes(hub, messages_of(events[1][1]), there)
    assert hub.size == 0


async def test_a_revoked_session_ends_its_streams_and_no_other(town: Community) -> None:
    owner = await town.person("Owner")
    phone = await town.person("Owner")
    assert (phone.user_id, phone.session_id) != (owner.user_id, owner.session_id)
    event_id = await town.event(owner)
    async with (
        town.hub() as hub,
        hub.open(messages_of(event_id), origin_of(owner)) as stream,
        hub.open(messages_of(event_id), origin_of(phone)) as on_phone,
    ):
        await town.run(phone, "logout")
        await town.say(owner, event_id, "still here")
        assert (await heard(stream))[0] == "still here"
        with pytest.raises(Unauthenticated):
            await heard(on_phone)


async def test_an_idle_stream_of_a_revoked_session_ends_too(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    async with town.hub() as hub, hub.open(messages_of(event_id), origin_of(owner)) as stream:
        await town.run(owner, "logout")
        with pytest.raises(Unauthenticated):
            await heard(stream)


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("visitor", Unauthenticated), ("stranger", NotFound), ("onlooker", Denied)],
)
async def test_the_right_is_asked_at_subscribe(town: Community, who: str, refusal: type[AppError]) -> None:
    owner, other = await town.person("Owner"), await town.person("Other")
    event_id = await town.event(owner)
    unseen = UUID(int=1)
    claim = Claim(town.tenant_id) if who == "visitor" else other
    async with town.hub() as hub:
        with pytest.raises(refusal):
            await _subscribes(hub, messages_of(unseen if who == "stranger" else event_id), claim)


@pytest.mark.parametrize("damage", [lambda _: "", lambda _: "nonsense", lambda _: "\u00e9", lambda cursor: cursor[:-4]])
async def test_a_damaged_cursor_is_refused(town: Community, damage: Callable[[str], str]) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    cursor = damage(write_position(1, stream_tag("eventMessageAdded", town.tenant_id, event_id)))
    async with town.hub() as hub:
        with pytest.raises(BadInput):
            await _subscribes(hub, messages_of(event_id, cursor), owner)


@pytest.mark.parametrize("foreign", ["subscription", "tenant", "topic"])
async def test_a_cursor_of_another_stream_is_refused(town: Community, foreign: str) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    tag = stream_tag(
        "membershipChanged" if foreign == "subscription" else "eventMessageAdded",
        UUID(int=7) if foreign == "tenant" else town.tenant_id,
        UUID(int=7) if foreign == "topic" else event_id,
    )
    async with town.hub() as hub:
        with pytest.raises(BadInput):
            await _subscribes(hub, messages_of(event_id, write_position(1, tag)), owner)


async def test_one_body_is_computed_and_encoded_once_for_all_who_see_the_same(town: Community) -> None:
    owner, guest, other = await town.person("Owner"), await town.person("Guest"), await town.person("Other")
    event_id = await town.event(owner)
    for joiner in (guest, other):
        await town.run(joiner, "joinEvent", eventId=event_id)
    mail = (Pick("message", "message", picks=(Pick("author", "author", picks=(Pick("email", "email"),)),)),)
    async with town.hub() as hub, AsyncExitStack() as stack, asyncio.timeout(10):
        people = (owner, guest, other)
        plain = [await stack.enter_async_context(hub.open(messages_of(event_id), origin_of(each))) for each in people]
        personal = [
            await stack.enter_async_context(hub.open(messages_of(event_id, picks=mail), origin_of(each)))
            for each in people
        ]
        await town.say(owner, event_id, "hello")
        first, second, third = [await anext(stream) for stream in plain]
        assert first is second is third
        own, *others = [await anext(stream) for stream in personal]
    assert own == b'{"data":{"added":{"message":{"author":{"email":"owner@dev.invalid"}}}}}'
    assert others[0] is others[1]
    assert others[0] == b'{"data":{"added":{"message":{"author":{"email":null}}}}}'


async def test_whoever_falls_behind_is_told_to_subscribe_again(
    town: Community, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster.kit.realtime.stream.MOST_WAITING", MOST_WAITING)
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    async with town.hub() as hub:
        async with (
            hub.open(messages_of(event_id), origin_of(owner)) as slow,
            hub.open(messages_of(event_id), origin_of(owner)) as quick,
        ):
            await town.say(owner, event_id, "first")
            _, cursor = await heard(slow)
            await heard(quick)
            cursors = []
            for number in range(MOST_WAITING + 1):
                await town.say(owner, event_id, str(number))
                cursors.append((await heard(quick))[1])
            with pytest.raises(Resync):
                await heard(slow)
            async with hub.open(messages_of(event_id, cursor), origin_of(owner)) as stream:
                # The gap is larger by one than what may wait, so the stream still catches up when this is said.
                full = read_position(cursors[-2], stream.tag)
                await _stands_at(stream, full)
                await town.say(owner, event_id, "meanwhile")
                await heard(quick)
                caught_up = [(await heard(stream))[0] for _ in range(MOST_WAITING + 2)]
        assert caught_up == [*map(str, range(MOST_WAITING + 1)), "meanwhile"]


async def test_a_stream_about_oneself_and_one_about_memberships(town: Community) -> None:
    owner, guest = await town.person("Owner"), await town.person("Guest")
    event_id = await town.event(owner)
    subscription = SUBSCRIPTIONS["membershipChanged"]
    picks = (Pick("membership", "membership", picks=(Pick("status", "status"),)), Pick("__typename", "__typename"))
    request = StreamRequest(subscription, "changed", picks, (), {"event_id": event_id}, None)
    own = SUBSCRIPTIONS["notificationAdded"]
    mine = StreamRequest(own, "told", (Pick("cursor", "cursor"),), (), {}, None)
    async with (
        town.hub() as hub,
        asyncio.timeout(10),
        hub.open(request, origin_of(owner)) as stream,
        hub.open(mine, origin_of(guest)) as told,
    ):
        await town.run(guest, "joinEvent", eventId=event_id)
        joined = await anext(stream)
        assert joined == b'{"data":{"changed":{"membership":{"status":"JOINED"},"__typename":"MembershipChanged"}}}'
        with pytest.raises(TimeoutError):
            await heard(told, seconds=0.05)


async def test_what_a_replay_gave_already_is_not_given_again(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    async with town.hub() as hub, hub.open(messages_of(event_id), origin_of(owner)) as live:
        for number in range(3):
            await town.say(owner, event_id, str(number))
            await heard(live)
    # A feed that is behind the replay of its own stream.
    feed = Feed(town.database, Delivery(town.database, town.services.gate), town.tenant_id, 0)
    stream = Stream(messages_of(event_id), owner, event_id)
    feed.add(stream, after=0)
    await feed.catch_up(stream)
    running = asyncio.create_task(feed.run())
    await town.say(owner, event_id, "3")
    assert [(await heard(stream))[0] for _ in range(4)] == ["0", "1", "2", "3"]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_row_that_one_may_not_see_is_passed_over(town: Community) -> None:
    owner, guest, waiting = [await town.person(name) for name in ("Owner", "Guest", "Waiting")]
    event_id = await town.event(owner, max=2)
    picks = (Pick("membership", "membership", picks=(Pick("status", "status"),)),)
    request = StreamRequest(SUBSCRIPTIONS["membershipChanged"], "changed", picks, (), {"event_id": event_id}, None)
    async with (
        town.hub() as hub,
        asyncio.timeout(10),
        hub.open(request, origin_of(owner)) as owners,
        hub.open(request, origin_of(guest)) as guests,
    ):
        await town.run(guest, "joinEvent", eventId=event_id)
        joined = b'{"data":{"changed":{"membership":{"status":"JOINED"}}}}'
        assert [await anext(owners), await anext(guests)] == [joined, joined]
        await town.run(waiting, "joinEvent", eventId=event_id)
        assert await anext(owners) == b'{"data":{"changed":{"membership":{"status":"WAITLIST"}}}}'
        await town.run(waiting, "leaveEvent", eventId=event_id)
        await town.run(guest, "leaveEvent", eventId=event_id)
        assert await anext(guests) == b'{"data":{"changed":{"membership":{"status":"LEFT"}}}}'


async def test_a_hub_that_stops_ends_its_streams(town: Community) -> None:
    owner = await town.person("Owner")
    event_id = await town.event(owner)
    async with AsyncExitStack() as stack:
        async with town.hub() as hub:
            stream = await stack.enter_async_context(hub.open(messages_of(event_id), origin_of(owner)))
        with pytest.raises(Unavailable):
            await heard(stream)

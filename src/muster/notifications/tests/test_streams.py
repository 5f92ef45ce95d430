"""The badge, live: it changes with what one is told and with what one reads, on every device."""

import asyncio

import msgspec

from muster.kit.caller import Claim
from muster.kit.db.migrate import Urls
from muster.kit.realtime.stream import Stream, StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS
from muster.kit.realtime.tests.support import community, origin_of
from muster.kit.views.picks import Pick
from muster.testing.below import ask
from muster.testing.work import working

_BADGE = (Pick("badge", "badge", picks=(Pick("unreadCount", "unreadCount"),)),)


async def _next(stream: Stream) -> int:
    async with asyncio.timeout(10):
        unread: int = msgspec.json.decode(await anext(stream))["data"]["it"]["badge"]["unreadCount"]
    return unread


async def test_the_badge_follows_what_is_told_and_what_is_read(urls: Urls) -> None:
    request = StreamRequest(SUBSCRIPTIONS["notificationBadgeChanged"], "it", _BADGE, (), {}, None)
    async with community(urls) as town, town.hub() as hub, working(urls):
        owner, guest = await town.person("Owner"), await town.person("Guest")
        event_id = await town.event(owner)
        other_device: Claim = await town.person("Owner")
        async with (
            hub.open(request, origin_of(owner)) as here,
            hub.open(request, origin_of(other_device)) as there,
        ):
            await town.run(guest, "joinEvent", eventId=event_id)
            assert [await _next(each) for each in (here, there)] == [1, 1]
            (told,) = await ask(urls, "select id from notifications")
            await town.run(owner, "markNotificationRead", id=told[0])
            assert [await _next(each) for each in (here, there)] == [0, 0]
            await town.run(owner, "markNotificationUnread", id=told[0])
            assert [await _next(each) for each in (here, there)] == [1, 1]
            await town.run(other_device, "clearNotifications")
            assert [await _next(each) for each in (here, there)] == [0, 0]

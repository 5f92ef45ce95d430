"""Places that a window shuts off: who waits gets them when it opens, by the clock alone and once."""

import asyncio
from datetime import UTC, datetime, timedelta

import muster.schedule  # noqa: F401 - declares what is due
from muster.events.tests.support import FACTS, some_people, sound
from muster.kit.work.schedule import tick
from muster.testing.auditing import as_worker
from muster.testing.below import value
from muster.testing.serving import Service
from muster.testing.town import make_event

STARTS = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
OPENS = STARTS - timedelta(hours=1)
_DUE = "select promotion_due_at from events where id = $1"


async def test_the_schedule_gives_them_once_though_two_look(service: Service) -> None:
    owner, leaver, first, second = await some_people(service, 4)
    event_id = await make_event(owner.client, max=2, startsAt=STARTS, endsAt=STARTS + timedelta(hours=1))
    for each in (leaver, first, second):
        (await each.client.call("joinEvent", eventId=event_id)).ok()
    shut = {"joinOpensMinutesBeforeStart": 60}
    (await owner.client.call("updateEvent", id=event_id, input=shut)).ok()
    assert await value(service.urls, _DUE, event_id) is None
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    assert await value(service.urls, _DUE, event_id) == OPENS
    async with as_worker(service.urls) as one, as_worker(service.urls) as two:
        await asyncio.gather(tick(one, OPENS - timedelta(seconds=1)), tick(two, OPENS - timedelta(seconds=1)))
        assert await value(service.urls, FACTS, "event.promoted", event_id) == 0
        for later in (0, 15):
            now = OPENS + timedelta(seconds=later)
            await asyncio.gather(tick(one, now), tick(two, now))
    assert await value(service.urls, FACTS, "event.promoted", event_id) == 1
    assert await value(service.urls, _DUE, event_id) is None
    assert (await first.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    assert (await second.client.call("myMembershipForEvent", eventId=event_id)).ok()["waitlistPosition"] == 1
    await sound(service, event_id)


async def test_whoever_moves_the_window_or_closes_the_event_moves_the_moment(service: Service) -> None:
    owner, leaver, first = await some_people(service, 3)
    event_id = await make_event(owner.client, max=2, startsAt=STARTS, endsAt=STARTS + timedelta(hours=1))
    for each in (leaver, first):
        (await each.client.call("joinEvent", eventId=event_id)).ok()
    for minutes in (60, 30):
        shut = {"joinOpensMinutesBeforeStart": minutes}
        (await owner.client.call("updateEvent", id=event_id, input=shut)).ok()
        (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
        assert await value(service.urls, _DUE, event_id) == STARTS - timedelta(minutes=minutes)
    # An event that is closed by hand opens by hand; what the schedule finds by then is due no more.
    (await owner.client.call("closeEventJoin", id=event_id)).ok()
    async with as_worker(service.urls) as worker:
        await tick(worker, OPENS + timedelta(minutes=30))
    assert await value(service.urls, _DUE, event_id) is None
    (await owner.client.call("reopenEventJoin", id=event_id)).ok()
    assert await value(service.urls, _DUE, event_id) == STARTS - timedelta(minutes=30)
    (await owner.client.call("updateEvent", id=event_id, input={"joinOpensMinutesBeforeStart": None})).ok()
    assert await value(service.urls, _DUE, event_id) is None
    assert await value(service.urls, FACTS, "event.promoted", event_id) == 1
    await sound(service, event_id)

"""Events that publish themselves: once, at their moment, whoever looks and whatever changes meanwhile."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

import muster.schedule  # noqa: F401 - declares what is due
from muster.events.tests.support import FACTS, at_once, some_people
from muster.kit.work.schedule import tick
from muster.testing.auditing import as_worker
from muster.testing.below import value
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import drain

NOW = datetime.now(UTC).replace(microsecond=0)
MOMENT = NOW + timedelta(hours=2)
STARTS = MOMENT + timedelta(hours=2)
_STATUS = "select status from events where id = $1"


async def _scheduled(owner: Person, *, publish_at: datetime = MOMENT) -> UUID:
    event_id = await make_event(owner.client, publish=False, startsAt=STARTS, endsAt=STARTS + timedelta(hours=1))
    (await owner.client.call("schedulePublication", id=event_id, publishAt=publish_at)).ok()
    return event_id


async def test_it_publishes_itself_once_though_two_look(service: Service) -> None:
    owner, other = await some_people(service, 2)
    events = [await _scheduled(owner) for _ in range(5)]
    assert (await other.client.call("event", id=events[0])).missing
    async with as_worker(service.urls) as one, as_worker(service.urls) as two:
        await asyncio.gather(tick(one, MOMENT - timedelta(seconds=1)), tick(two, MOMENT - timedelta(seconds=1)))
        assert await value(service.urls, _STATUS, events[0]) == "SCHEDULED"
        for later in (0, 15, 30):
            now = MOMENT + timedelta(seconds=later)
            await asyncio.gather(tick(one, now), tick(two, now))
    for event_id in events:
        assert await value(service.urls, FACTS, "event.published", event_id) == 1
        seen = (await other.client.call("event", id=event_id)).ok()
        assert (seen["status"], seen["publishAt"]) == ("PUBLISHED", None)


async def test_taken_back_or_published_but_not_both(service: Service) -> None:
    (owner,) = await some_people(service, 1)
    async with as_worker(service.urls) as worker:
        for lap in range(4):
            event_id = await _scheduled(owner)
            back: Any
            _, (back,) = await asyncio.gather(
                tick(worker, MOMENT + timedelta(minutes=lap)), at_once(owner.client.call("unpublishEvent", id=event_id))
            )
            # What was taken back after it was published is a draft as well: nobody was in it yet.
            assert back.ok()["status"] == "DRAFT"
            assert await value(service.urls, _STATUS, event_id) == "DRAFT"
            assert await value(service.urls, FACTS, "event.published", event_id) <= 1


@pytest.mark.parametrize(
    ("publish_at", "path"),
    [
        (NOW - timedelta(seconds=1), "publishAt"),
        (STARTS - timedelta(minutes=4), "publishAt"),
        ("tomorrow", "publishAt"),
    ],
)
async def test_moments_that_make_no_sense(service: Service, publish_at: object, path: str) -> None:
    (owner,) = await some_people(service, 1)
    event_id = await _scheduled(owner)
    answer = await owner.client.call("schedulePublication", id=event_id, publishAt=publish_at)
    assert answer.problem["errors"][0]["path"] == path
    assert await value(service.urls, "select publish_at from events where id = $1", event_id) == MOMENT


async def test_the_start_moves_behind_its_moment_alone(service: Service) -> None:
    (owner,) = await some_people(service, 1)
    event_id = await _scheduled(owner)
    early = {"startsAt": MOMENT + timedelta(minutes=4), "endsAt": STARTS}
    refused = await owner.client.call("updateEvent", id=event_id, input=early)
    assert [each["path"] for each in refused.problem["errors"]] == ["startsAt"]
    fine = {"startsAt": MOMENT + timedelta(minutes=5), "endsAt": STARTS}
    assert (await owner.client.call("updateEvent", id=event_id, input=fine)).ok()["status"] == "SCHEDULED"


async def test_what_has_begun_meanwhile_is_a_draft_and_its_owner_is_told(service: Service) -> None:
    (owner,) = await some_people(service, 1)
    event_id = await _scheduled(owner)
    async with as_worker(service.urls) as worker:
        await tick(worker, STARTS + timedelta(seconds=1))
    assert await value(service.urls, _STATUS, event_id) == "DRAFT"
    await drain(service.urls)
    told = "select count(*) from notifications where kind = 'EVENT_NOT_PUBLISHED' and user_id = $1"
    assert await value(service.urls, told, owner.user_id) == 1
    assert await value(service.urls, "select count(*) from mails where kind = 'events.not_published'") == 1


async def test_others_wait_behind_nobody(service: Service) -> None:
    """An event that somebody holds locked is published by the next tick; all others by this one."""
    (owner,) = await some_people(service, 1)
    held, free = [await _scheduled(owner) for _ in range(2)]
    async with (
        as_worker(service.urls) as worker,
        worker.database.transaction(
            await value(service.urls, "select tenant_id from events where id = $1", held)
        ) as slow,
    ):
        await slow.connection.execute("select 1 from events where id = $1 for no key update", held)
        await tick(worker, MOMENT)
        assert [await value(service.urls, _STATUS, each) for each in (held, free)] == ["SCHEDULED", "PUBLISHED"]
    async with as_worker(service.urls) as worker:
        await tick(worker, MOMENT + timedelta(seconds=15))
    assert await value(service.urls, _STATUS, held) == "PUBLISHED"

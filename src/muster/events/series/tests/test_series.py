"""Series: occurrences are events of their own, made once, joined and changed alone or together."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from muster.events.series.making import make_due
from muster.events.series.rules import MOST
from muster.events.tests.support import at_once, sound
from muster.kit.commands.system import system_transaction
from muster.testing.below import ask, change, value
from muster.testing.people import Person, Standing
from muster.testing.town import Town, make_event
from muster.testing.work import Work, working

pytestmark = pytest.mark.asyncio(loop_scope="module")

_DUE = "select recurrence_id, event_id from series_occurrences where series_id = $1 order by recurrence_id"
_STANDING = "select status from event_members where event_id = $1 and user_id = $2"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _repeat(owner: Person, rule: str, **changes: Any) -> tuple[UUID, UUID]:
    """A series of somebody's; answers with its id and with its first event."""
    event_id = await make_event(owner.client, **{"timezone": "Europe/Warsaw", **changes})
    series = (await owner.client.call("repeatEvent", eventId=event_id, rule=rule)).ok()
    return UUID(series["id"]), event_id


async def _made(town: Town, series_id: UUID) -> list[tuple[datetime, UUID]]:
    """When the occurrences are due, and their events."""
    return [(moment, UUID(int=event.int)) for moment, event in await ask(town.service.urls, _DUE, series_id)]


async def _make_at(work: Work, town: Town, now: datetime) -> None:
    """What the schedule does at a moment."""
    async with system_transaction(
        work.services, tenant_id=town.tenant_id, verb="test", reason="is due", now=now, request_id="test"
    ) as ctx:
        await make_due(ctx)


async def _standing(town: Town, event_id: UUID, person: Person) -> str | None:
    found: str | None = await value(town.service.urls, _STANDING, event_id, person.user_id)
    return found


async def test_occurrences_are_events_that_stay_at_their_time_when_clocks_change(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    starts_at = (datetime.now(UTC) + timedelta(days=2)).replace(hour=18, minute=0, second=0, microsecond=0)
    changes = {"startsAt": starts_at, "endsAt": starts_at + timedelta(hours=2), "timezone": _zone(starts_at)}
    series_id, first = await _repeat(owner, "FREQ=WEEKLY", **changes)
    made = await _made(town, series_id)
    # As far as 180 days reach; a clock changes within them.
    assert (made[0], len(made)) == ((starts_at, first), 26)
    read = [(await owner.client.call("event", id=event)).ok() for _, event in made[:3]]
    assert {(each["title"], each["status"], each["max"], each["joinedCount"]) for each in read} == {
        ("An evening of games", "PUBLISHED", 3, 1)
    }
    shown = await value(
        town.service.urls,
        "select array_agg(distinct to_char(starts_at at time zone timezone, 'Dy HH24:MI')) "
        "from events e join series_occurrences o on o.event_id = e.id where o.series_id = $1",
        series_id,
    )
    offsets = await value(
        town.service.urls,
        "select count(distinct extract(hour from starts_at at time zone 'UTC')) "
        "from events e join series_occurrences o on o.event_id = e.id where o.series_id = $1",
        series_id,
    )
    assert (len(shown), offsets) == (1, 2)
    told = (await owner.client.call("eventSeries", id=series_id)).ok()
    assert (told["rule"], told["endsBefore"]) == ("FREQ=WEEKLY", None)
    again = await owner.client.call("repeatEvent", eventId=first, rule="FREQ=DAILY")
    assert again.code == "COMES_AGAIN_ALREADY"
    assert (
        await owner.client.call("repeatEvent", eventId=town.event_id, rule="FREQ=SECONDLY")
    ).code == "VALIDATION_ERROR"
    assert (await owner.client.call("repeatEvent", eventId=town.draft_id, rule="FREQ=DAILY")).code == "NOT_PUBLISHED"
    moderator = town.people[Standing.MODERATOR].client
    assert (await moderator.call("repeatEvent", eventId=town.event_id, rule="FREQ=DAILY")).code == "NOT_OWNER"


async def test_two_workers_make_each_occurrence_once_and_let_in_who_joined_the_series(town: Town) -> None:
    owner, member, outsider = (town.people[each] for each in (Standing.OWNER, Standing.MEMBER, Standing.OUTSIDER))
    series_id, first = await _repeat(owner, "FREQ=DAILY", max=2)
    (await member.client.call("joinSeries", id=series_id)).ok()
    (await outsider.client.call("joinSeries", id=series_id)).ok()
    (await outsider.client.call("joinSeries", id=series_id)).ok()
    before = await _made(town, series_id)
    assert len(before) == MOST
    for _, event in before[:3]:
        assert (await _standing(town, event, member), await _standing(town, event, outsider)) == ("JOINED", "WAITLIST")
    later = datetime.now(UTC) + timedelta(days=5, hours=1)
    async with working(town.service.urls) as work:
        await asyncio.gather(*(_make_at(work, town, later) for _ in range(2)))
        await _make_at(work, town, later)
        await work.quiet()
    after = await _made(town, series_id)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 5
    for _, event in after[len(before) :]:
        assert (await _standing(town, event, member), await _standing(town, event, outsider)) == ("JOINED", "WAITLIST")
    # One occurrence can be left alone, and all together; whoever waits gets each place.
    (await member.client.call("leaveEvent", eventId=first)).ok()
    assert [await _standing(town, after[at][1], member) for at in (0, 1)] == ["LEFT", "JOINED"]
    (await member.client.call("leaveSeries", id=series_id)).ok()
    assert {await _standing(town, event, outsider) for _, event in after} == {"JOINED"}
    async with working(town.service.urls) as work:
        await _make_at(work, town, later + timedelta(days=2))
        await work.quiet()
    (_, last) = (await _made(town, series_id))[-1]
    assert (await _standing(town, last, member), await _standing(town, last, outsider)) == (None, "JOINED")


async def test_a_series_is_joined_left_changed_and_called_off_at_once(town: Town) -> None:
    owner, *people = (
        town.people[each] for each in (Standing.OWNER, Standing.MEMBER, Standing.OUTSIDER, Standing.MODERATOR)
    )
    series_id, _ = await _repeat(owner, "FREQ=DAILY;COUNT=5", max=3)
    made = await _made(town, series_id)
    first, second, third = (each.client for each in people)
    (await third.call("joinSeries", id=series_id)).ok()
    async with working(town.service.urls) as work:
        answers, *_ = await asyncio.gather(
            at_once(
                *(each.call("joinSeries", id=series_id) for each in (first, second, first)),
                third.call("leaveSeries", id=series_id),
                second.call("joinEvent", eventId=made[1][1]),
                owner.client.call("updateSeries", id=series_id, input={"max": 2, "since": made[1][0]}),
                owner.client.call("updateSeries", id=series_id, input={"title": "Chess", "since": made[3][0]}),
                owner.client.call("updateEvent", id=made[2][1], input={"max": 4}),
                owner.client.call("cancelSeries", id=series_id, since=made[4][0]),
            ),
            _make_at(work, town, datetime.now(UTC)),
            _make_at(work, town, datetime.now(UTC)),
        )
        await work.quiet()
    assert {each.code for each in answers} <= {None, "TOO_FEW_PLACES"}
    assert await _made(town, series_id) == made
    for _, event in made[:4]:
        await sound(town.service, event)
        standings = [await _standing(town, event, each) for each in people]
        # Who is called a follower is in all that takes place; who left is in none.
        assert {*standings[:2]} <= {"JOINED", "WAITLIST"}
        assert standings[2] == "LEFT"
    assert (await owner.client.call("event", id=made[4][1])).ok()["status"] == "CANCELLED"
    assert [(await owner.client.call("event", id=event)).ok()["title"] for _, event in made[3:4]] == ["Chess"]


async def test_what_changes_for_all_leaves_alone_what_was_changed_for_one(town: Town) -> None:
    owner, stranger = town.people[Standing.OWNER], town.people[Standing.OUTSIDER]
    series_id, _ = await _repeat(owner, "FREQ=DAILY;COUNT=4")
    made = await _made(town, series_id)
    (await owner.client.call("updateEvent", id=made[1][1], input={"title": "A special evening"})).ok()
    assert (await stranger.client.call("updateSeries", id=series_id, input={"title": "Mine now"})).code == "NOT_OWNER"
    changes = {"title": "An evening of chess", "max": 9}
    (await owner.client.call("updateSeries", id=series_id, input=changes)).ok()
    (await owner.client.call("updateSeries", id=series_id, input={"city": "Lublin", "since": made[2][0]})).ok()
    read = [(await owner.client.call("event", id=event)).ok() for _, event in made]
    assert [(each["title"], each["max"], each["city"]) for each in read] == [
        ("An evening of chess", 9, "Warsaw"),
        ("A special evening", 9, "Warsaw"),
        ("An evening of chess", 9, "Lublin"),
        ("An evening of chess", 9, "Lublin"),
    ]
    refused = await owner.client.call("updateSeries", id=series_id, input={"startsAt": "2031-01-01T10:00:00Z"})
    assert refused.code == "VALIDATION_ERROR"


async def test_a_series_is_called_off_from_an_occurrence_on(town: Town) -> None:
    owner, stranger = town.people[Standing.OWNER], town.people[Standing.OUTSIDER]
    series_id, _ = await _repeat(owner, "FREQ=DAILY")
    made = await _made(town, series_id)
    assert (await stranger.client.call("cancelSeries", id=series_id)).code == "NOT_OWNER"
    calls = (owner.client.call("cancelSeries", id=series_id, since=made[2][0], reason="Rain") for _ in range(2))
    for answer in await at_once(*calls):
        answer.ok()
    statuses = await ask(
        town.service.urls,
        "select e.status from events e join series_occurrences o on o.event_id = e.id where o.series_id = $1 "
        "order by o.recurrence_id",
        series_id,
    )
    assert [row[0] for row in statuses] == ["PUBLISHED"] * 2 + ["CANCELLED"] * (len(made) - 2)
    async with working(town.service.urls) as work:
        await _make_at(work, town, datetime.now(UTC) + timedelta(days=9))
        await work.quiet()
    assert await _made(town, series_id) == made
    (await owner.client.call("cancelSeries", id=series_id)).ok()
    assert (await owner.client.call("eventSeries", id=series_id)).ok()["endsBefore"] is not None


async def test_a_hidden_series_and_one_whose_owner_has_gone(town: Town) -> None:
    owner, stranger = town.people[Standing.OWNER], town.people[Standing.OUTSIDER]
    series_id, _ = await _repeat(owner, "FREQ=DAILY", visibility="HIDDEN")
    for name in ("joinSeries", "leaveSeries", "cancelSeries"):
        assert (await stranger.client.call(name, id=series_id)).code == "SERIES_NOT_FOUND"
    assert (await stranger.client.call("eventSeries", id=series_id)).missing
    made = await _made(town, series_id)
    urls = town.service.urls
    await change(urls, "update members set status = 'SUSPENDED' where user_id = $1", owner.user_id)
    async with working(urls) as work:
        await _make_at(work, town, datetime.now(UTC) + timedelta(days=3))
    await change(urls, "update members set status = 'ACTIVE' where user_id = $1", owner.user_id)
    assert await _made(town, series_id) == made


async def test_a_series_takes_place_beside_its_rule_too(town: Town) -> None:
    owner, starts_at = town.people[Standing.OWNER], _soon()
    extra = [starts_at + timedelta(days=3, hours=-4), starts_at + timedelta(days=1)]
    event_id = await make_event(
        owner.client, timezone="Europe/Warsaw", startsAt=starts_at, endsAt=starts_at + timedelta(hours=2)
    )
    early = await owner.client.call(
        "repeatEvent", eventId=event_id, rule="FREQ=DAILY;COUNT=3", added=[starts_at - timedelta(days=1)]
    )
    assert (early.code, [each["path"] for each in early.problem["errors"]]) == ("VALIDATION_ERROR", ["added"])
    made = await owner.client.call("repeatEvent", eventId=event_id, rule="FREQ=DAILY;COUNT=3", added=extra)
    series_id = UUID(made.ok()["id"])
    expected = sorted({extra[0], *(starts_at + timedelta(days=number) for number in range(3))})
    assert [moment for moment, _ in await _made(town, series_id)] == expected
    later = starts_at + timedelta(days=9)
    (await owner.client.call("updateSeries", id=series_id, input={"added": [*extra, later]})).ok()
    async with working(town.service.urls) as work:
        await _make_at(work, town, datetime.now(UTC))
    assert [moment for moment, _ in await _made(town, series_id)] == [*expected, later]


async def test_the_times_of_all_that_is_to_come_change_but_of_what_was_moved_alone(town: Town) -> None:
    owner, starts_at = town.people[Standing.OWNER], _soon()
    added = starts_at + timedelta(days=2, hours=-5)
    event_id = await make_event(
        owner.client, timezone="Europe/Warsaw", startsAt=starts_at, endsAt=starts_at + timedelta(hours=2)
    )
    made = await owner.client.call("repeatEvent", eventId=event_id, rule="FREQ=WEEKLY;COUNT=30", added=[added])
    series_id = UUID(made.ok()["id"])
    first, beside, second, third, *_ = await _made(town, series_id)
    moved = {"startsAt": third[0] + timedelta(hours=1), "endsAt": third[0] + timedelta(hours=3)}
    (await owner.client.call("updateEvent", id=third[1], input=moved)).ok()
    refused = await owner.client.call("updateSeries", id=series_id, input={"startTime": "25:00"})
    assert [each["path"] for each in refused.problem["errors"]] == ["startTime"]
    change_of = {"since": second[0], "startTime": "09:15", "minutes": 45}
    (await owner.client.call("updateSeries", id=series_id, input=change_of)).ok()

    async def times(event: UUID) -> tuple[str, int]:
        told = (await owner.client.call("event", id=event)).ok()
        start, end = (datetime.fromisoformat(told[name]) for name in ("startsAt", "endsAt"))
        return start.astimezone(ZoneInfo("Europe/Warsaw")).strftime("%H:%M"), (end - start).seconds // 60

    usual = starts_at.astimezone(ZoneInfo("Europe/Warsaw")).strftime("%H:%M")
    assert await times(first[1]) == (usual, 120)
    assert await times(beside[1]) == (added.astimezone(ZoneInfo("Europe/Warsaw")).strftime("%H:%M"), 120)
    assert await times(second[1]) == ("09:15", 45)
    assert (await times(third[1]))[1] == 120
    # What is made later begins then, too, on its own day.
    async with working(town.service.urls) as work:
        await _make_at(work, town, datetime.now(UTC) + timedelta(days=60))
    *_, last = await _made(town, series_id)
    assert await times(last[1]) == ("09:15", 45)


def _zone(start: datetime) -> str:
    """A zone whose clock changes within 25 weeks: Warsaw's does not after March, and Santiago's does in September."""

    def changes(name: str) -> bool:
        weeks = [(start + timedelta(weeks=number)).astimezone(ZoneInfo(name)) for number in range(26)]
        return len({each.utcoffset() for each in weeks}) == 2

    return next(filter(changes, ("Europe/Warsaw", "America/Santiago")))


def _soon() -> datetime:
    """At five in the afternoon in UTC, in two days."""
    return (datetime.now(UTC) + timedelta(days=2)).replace(hour=17, minute=0, second=0, microsecond=0)

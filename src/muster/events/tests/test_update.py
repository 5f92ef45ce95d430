"""Updating an event: absent and null, rules as at creation, places for who waits, and the races around the size."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import FACTS, QUEUE, at_once, crowd, some_people, sound
from muster.testing.below import ask, change, snapshot, value
from muster.testing.client import Answer, Way
from muster.testing.people import Person, Standing
from muster.testing.serving import Service
from muster.testing.town import Town, make_event

_UPDATED = "select data from facts where kind = 'event.updated' and aggregate_id = $1 order by at"


async def _update(person: Person, event_id: UUID, way: Way = Way.REST, **changes: object) -> Answer:
    return await person.client.call("updateEvent", way=way, id=event_id, input=changes)


@pytest.mark.parametrize("way", Way)
async def test_what_is_absent_stays_and_what_is_null_is_emptied(town: Town, way: Way) -> None:
    owner = town.people[Standing.OWNER]
    before = (await owner.client.call("event", id=town.event_id)).ok()
    after = (await _update(owner, town.event_id, way, title="Chess", address=None, tags=["Chess", "CHESS", "Go"])).ok()
    changed = {"title": "Chess", "address": None, "tags": ["chess", "go"], "version": before["version"] + 1}
    assert after == {**before, **changed, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]


async def test_an_update_that_changes_nothing_is_none(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    event = (await owner.client.call("event", id=town.event_id)).ok()
    before = await snapshot(town.service.urls, without=["audit_rows"])
    same = {key: event[key] for key in ("title", "startsAt", "tags", "max", "latitude", "onlineUrl")}
    assert (await _update(owner, town.event_id, **same)).ok() == event
    assert (await _update(owner, town.event_id)).ok() == event
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"title": None}, ["title"]),
        ({"title": "ab"}, ["title"]),
        ({"startsAt": None}, ["startsAt"]),
        ({"startsAt": "2020-01-01T00:00:00Z"}, ["endsAt", "startsAt"]),
        ({"endsAt": "2020-01-01T00:00:00Z"}, ["endsAt", "endsAt"]),
        ({"latitude": None}, ["latitude"]),
        ({"meetingKind": "ONLINE", "onlineUrl": None}, ["onlineUrl"]),
        ({"mode": "GROUP", "max": 51}, ["max"]),
        ({"max": 0}, ["max"]),
        ({"tags": ["a", "b", "c", "d", "e", "f"]}, ["tags"]),
        ({"tags": [" a"]}, ["tags[0]"]),
        ({"timezone": "Mars/Olympus"}, ["timezone"]),
        ({"status": "DRAFT"}, ["status"]),
        ({"ownerId": None}, ["ownerId"]),
    ],
)
async def test_what_no_event_can_become(town: Town, way: Way, changes: dict[str, object], fields: list[str]) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    answer = await _update(town.people[Standing.OWNER], town.event_id, way, **changes)
    assert answer.status in (400, 422)
    named = [each["path"].removeprefix("input.") for each in answer.problem["errors"]]
    assert named == fields or (way == Way.GRAPHQL and fields[0] in answer.problem["detail"])
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


async def test_what_was_wrong_before_is_not_held_against_who_changes_something_else(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    await change(
        town.service.urls,
        "update events set latitude = null, longitude = null, online_url = null where id = $1",
        town.event_id,
    )
    assert (await _update(owner, town.event_id, title="Found on the web")).ok()["title"] == "Found on the web"
    assert (await _update(owner, town.event_id, meetingKind="ONSITE")).code == "VALIDATION_ERROR"


async def test_a_version_that_has_passed_is_refused(town: Town) -> None:
    owner, moderator = town.people[Standing.OWNER], town.people[Standing.MODERATOR]
    version = (await owner.client.call("event", id=town.event_id)).ok()["version"]
    answers = await at_once(
        _update(owner, town.event_id, title="The owner's", version=version),
        _update(moderator, town.event_id, title="The moderator's", version=version),
    )
    assert sorted(str(answer.code) for answer in answers) == ["None", "PRECONDITION_FAILED"]
    # Who comes and goes does not count.
    (await town.waiting.client.call("leaveEvent", eventId=town.event_id)).ok()
    assert (await _update(owner, town.event_id, title="At last", version=version + 1)).code is None


async def test_the_fact_says_what_changed_and_when_it_was(town: Town) -> None:
    owner = town.people[Standing.OWNER]
    event = (await owner.client.call("event", id=town.event_id)).ok()
    later = datetime.fromisoformat(event["endsAt"]) + timedelta(hours=1)
    (await _update(owner, town.event_id, endsAt=later.isoformat(), city="Lublin")).ok()
    *_, (fact,) = await ask(town.service.urls, _UPDATED, town.event_id)
    ended = later - timedelta(hours=1)
    assert f'"old_ends_at": "{ended.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}"' in fact
    assert '"changed": ["endsAt", "city"]' in fact
    assert '"old_starts_at": null' in fact


@pytest.mark.parametrize(("size", "promoted"), [(5, 2), (None, 6), (3, 0)])
async def test_more_places_go_to_who_wait_longest_in_their_order(
    service: Service, size: int | None, promoted: int
) -> None:
    owner, *people = await some_people(service, 9)
    event_id = await make_event(owner.client, max=3)
    for person in people:
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    queue = [row[0] for row in await ask(service.urls, QUEUE, event_id)]
    (await _update(owner, event_id, max=size)).ok()
    assert [row[0] for row in await ask(service.urls, QUEUE, event_id)] == queue[promoted:]
    facts = "select data->>'user_id' from facts where kind = 'event.promoted' and aggregate_id = $1 order by id"
    assert [row[0] for row in await ask(service.urls, facts, event_id)] == queue[:promoted]
    await sound(service, event_id)


async def test_an_event_never_has_fewer_places_than_people(town: Town) -> None:
    refused = await _update(town.people[Standing.OWNER], town.event_id, max=2)
    assert (refused.status, refused.code) == (409, "TOO_FEW_PLACES")
    assert refused.problem["errors"][0]["message"] == "3 people have a place, or are offered one"
    await sound(town.service, town.event_id)


@pytest.mark.parametrize("sizes", [(8, 6), (2, 12), (None, 5)])
async def test_the_size_changes_while_people_join_and_leave(service: Service, sizes: tuple[int | None, ...]) -> None:
    owner, *people = await some_people(service, 13)
    event_id = await make_event(owner.client, max=4)
    for person in people[:5]:
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    answers = await at_once(
        *(each.client.call("joinEvent", eventId=event_id) for each in people[5:9]),
        *(_update(owner, event_id, max=size) for size in sizes),
        *(each.client.call("leaveEvent", eventId=event_id) for each in people[:3]),
        *(each.client.call("joinEvent", eventId=event_id) for each in people[9:]),
    )
    assert {answer.code for answer in answers} <= {None, "TOO_FEW_PLACES"}
    await sound(service, event_id)
    told: Any = await value(service.urls, FACTS, "event.updated", event_id)
    assert told == sum(answer.code is None for answer in answers[4:6])


async def test_a_whole_queue_is_seated_at_once(service: Service) -> None:
    owner, first = await some_people(service, 2)
    event_id = await make_event(owner.client, max=2)
    (await first.client.call("joinEvent", eventId=event_id)).ok()
    await crowd(service, event_id, 2000)
    (await _update(owner, event_id, max=None)).ok()
    assert await value(service.urls, FACTS, "event.promoted", event_id) == 2000
    await sound(service, event_id)

"""Favourites: kept once however often and however many do it at once, one's own alone, and of what one still sees."""

from uuid import UUID

import pytest

from muster.events.tests.support import at_once
from muster.testing.below import ask, change
from muster.testing.client import Way
from muster.testing.people import Standing
from muster.testing.town import Town, make_event

_KEPT = "select user_id from event_favourites where event_id = $1"
_HIDE = "update events set visibility = 'HIDDEN' where id = $1"
_OF_EVENT = "query($id: UUID!) { event(id: $id) { isFavourite } }"


async def _listed(town: Town, by: Standing, way: Way = Way.REST) -> list[str]:
    page = (await town.client(by).call("myFavourites", way=way)).ok()
    return [each["event"]["id"] for each in page["items"]]


async def _is_favourite(town: Town, by: Standing, event_id: UUID) -> list[bool]:
    """What the event says of it: asked alone and in a list over REST, and over GraphQL."""
    client, http = town.client(by), town.service.http
    one = await http.get(f"/api/v1/events/{event_id}?include=isFavourite", headers=client.headers())
    many = await http.get("/api/v1/events?include=isFavourite", headers=client.headers())
    asked = await client.document(_OF_EVENT, id=event_id)
    listed = next(each for each in many.json()["items"] if each["id"] == str(event_id))
    return [one.json()["isFavourite"], listed["isFavourite"], asked["data"]["event"]["isFavourite"]]


@pytest.mark.parametrize("way", Way)
async def test_kept_once_and_dropped_twice(town: Town, way: Way) -> None:
    client = town.client(Standing.OUTSIDER)
    first = await make_event(town.client(Standing.OWNER))
    for event_id in (first, town.event_id, first):
        (await client.call("keepEvent", way=way, eventId=event_id)).ok()
    assert await _listed(town, Standing.OUTSIDER, way) == [str(town.event_id), str(first)]
    assert await _is_favourite(town, Standing.OUTSIDER, first) == [True] * 3
    assert await _is_favourite(town, Standing.OWNER, first) == [False] * 3
    for _ in range(2):
        (await client.call("dropEvent", way=way, eventId=first)).ok()
    assert (await client.call("myFavourite", way=way, eventId=first)).missing
    assert await _listed(town, Standing.OUTSIDER, way) == [str(town.event_id)]


async def test_an_event_says_it_only_to_who_asks(town: Town) -> None:
    assert "isFavourite" not in (await town.client(Standing.MEMBER).call("event", id=town.event_id)).ok()


async def test_of_many_at_once_one_is_kept(town: Town) -> None:
    client = town.client(Standing.OUTSIDER)
    answers = await at_once(*(client.call("keepEvent", eventId=town.event_id) for _ in range(6)))
    assert sorted(each.status for each in answers) == [200] * 5 + [201]
    assert len({each.ok()["id"] for each in answers}) == 1
    kept = [row[0] for row in await ask(town.service.urls, _KEPT, town.event_id)]
    assert kept.count(town.people[Standing.OUTSIDER].user_id) == 1


async def test_what_one_does_not_see_cannot_be_kept_and_what_is_hidden_later_is_left_out(town: Town) -> None:
    client = town.client(Standing.OUTSIDER)
    for event_id in (town.hidden_id, town.draft_id):
        refused = await client.call("keepEvent", eventId=event_id)
        assert (refused.status, refused.code) == (404, "EVENT_NOT_FOUND")
    (await client.call("keepEvent", eventId=town.event_id)).ok()
    await change(town.service.urls, _HIDE, town.event_id)
    assert await _listed(town, Standing.OUTSIDER) == []
    assert (await client.call("myFavourite", eventId=town.event_id)).missing
    (await client.call("dropEvent", eventId=town.event_id)).ok()

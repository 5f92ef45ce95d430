"""What can be read of events: what one takes part in, and what events are found by."""

from typing import Any

import pytest

from muster.events.tests.support import some_people
from muster.testing.below import change
from muster.testing.people import Standing
from muster.testing.serving import Service
from muster.testing.town import Town, make_event


async def _mine(town: Town, standing: Standing, **given: Any) -> list[str]:
    answer = await town.client(standing).call("myEvents", **given)
    return [each["title"].removesuffix(" in main") for each in answer.ok()["items"]]


async def test_ones_own_events(town: Town) -> None:
    evening, hidden, draft = "An evening", "A hidden evening", "A drafted evening"
    assert sorted(await _mine(town, Standing.OWNER)) == sorted([evening, hidden, draft])
    assert await _mine(town, Standing.OWNER, role="MODERATOR") == []
    assert await _mine(town, Standing.MODERATOR, role="MODERATOR") == [evening]
    assert await _mine(town, Standing.MEMBER, membershipStatus="JOINED") == [evening]
    assert await _mine(town, Standing.MEMBER, membershipStatus="WAITLIST") == []
    assert await _mine(town, Standing.OUTSIDER) == []
    assert await _mine(town, Standing.OTHER_TENANT) == []
    waiting = (await town.waiting.client.call("myEvents", membershipStatus="WAITLIST")).ok()["items"]
    assert [each["id"] for each in waiting] == [str(town.event_id)]
    kicked = town.kicked.client
    assert (await kicked.call("myEvents")).ok()["items"] == []
    assert len((await kicked.call("myEvents", membershipStatus="KICKED")).ok()["items"]) == 1


async def test_what_is_still_to_come_and_what_was(town: Town) -> None:
    over = "update events set starts_at = now() - interval '2 hours', ends_at = now() - interval '1 hour' where id = $1"
    await change(town.service.urls, over, town.hidden_id)
    assert await _mine(town, Standing.OWNER, upcoming=False) == ["A hidden evening"]
    assert sorted(await _mine(town, Standing.OWNER, upcoming=True)) == ["A drafted evening", "An evening"]
    # By start, so what was comes first.
    assert (await _mine(town, Standing.OWNER))[0] == "A hidden evening"
    assert await _mine(town, Standing.OWNER, filter={"status": "DRAFT"}) == ["A drafted evening"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"city": "kraków"}, ["Go"]),
        ({"city": "Krakow"}, []),
        ({"country": "POLAND"}, ["Chess", "Go"]),
        ({"tag": ["Board Games"]}, ["Chess", "Go"]),
        ({"tag": ["strategy", "nobody's"]}, ["Go"]),
        ({"online": True}, ["Chess"]),
        ({"online": False}, ["Go", "Walk"]),
        ({"tag": ["board games"], "online": False, "country": "Poland"}, ["Go"]),
        ({"text": "prague"}, ["Walk"]),
        ({"text": "krakow"}, ["Go"]),
    ],
)
async def test_events_are_found_by_place_and_tag(service: Service, filters: dict[str, Any], found: list[str]) -> None:
    (owner,) = await some_people(service, 1)
    onsite: dict[str, Any] = {"meetingKind": "ONSITE", "onlineUrl": None}
    await make_event(owner.client, title="Chess")
    await make_event(owner.client, title="Go, every week", city="Kraków", tags=["Strategy", "board games"], **onsite)
    await make_event(owner.client, title="Walk", city="Prague", country="Czechia", tags=[], **onsite)
    answer = (await owner.client.call("events", filter=filters)).ok()["items"]
    assert sorted(each["title"].split(",")[0] for each in answer) == found

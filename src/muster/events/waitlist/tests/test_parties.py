"""Parties: people who come under one name are seated together, or wait together."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import QUEUE, some_people, sound
from muster.testing.below import ask, value
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.town import make_event

_HEADS = "select joined_count from events where id = $1"


async def _come(person: Person, event_id: UUID, *guests: str | None) -> dict[str, Any]:
    asked: Any = {"guests": [{} if each is None else {"name": each} for each in guests]} if guests else {}
    joined: dict[str, Any] = (await person.client.call("joinEvent", eventId=event_id, **asked)).ok()
    return joined


async def test_a_party_is_counted_by_its_heads_and_named_to_organisers_alone(service: Service) -> None:
    owner, host, other = await some_people(service, 3)
    event_id = await make_event(owner.client, max=10)
    mine = await _come(host, event_id, "Grace", None, " Ada\n Lovelace ")
    assert (mine["status"], mine["partySize"], mine["guestNames"]) == ("JOINED", 4, ["Grace", "", "Ada Lovelace"])
    assert await value(service.urls, _HEADS, event_id) == 5
    seen: Any = {"eventId": event_id, "userId": host.user_id}
    assert (await owner.client.call("eventMember", **seen)).ok()["guestNames"] == ["Grace", "", "Ada Lovelace"]
    assert (await other.client.call("eventMember", **seen)).ok()["guestNames"] is None
    (await host.client.call("leaveEvent", eventId=event_id)).ok()
    assert await value(service.urls, _HEADS, event_id) == 1
    await sound(service, event_id)


async def test_more_guests_than_five_are_refused(service: Service) -> None:
    owner, host = await some_people(service, 2)
    event_id = await make_event(owner.client, max=10)
    refused = await host.client.call("joinEvent", eventId=event_id, guests=[{}] * 6)
    assert (refused.status, refused.problem["errors"][0]["path"]) == (422, "guests")


@pytest.mark.parametrize(
    ("policy", "seated"),
    [("FIFO_STRICT", set()), ("BEST_FIT", {"pair"})],
)
async def test_a_party_that_does_not_fit_blocks_the_queue_or_is_passed(
    service: Service, policy: str, seated: set[str]
) -> None:
    owner, leaver, four, pair, late = await some_people(service, 5)
    event_id = await make_event(owner.client, max=3, waitlistPolicy=policy)
    await _come(leaver, event_id, None)
    waits = [await _come(four, event_id, "A", "B", "C"), await _come(pair, event_id, "D"), await _come(late, event_id)]
    assert [each["waitlistPosition"] for each in waits] == [1, 2, 3]
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    names = {four.user_id: "four", pair.user_id: "pair", late.user_id: "late"}
    waiting = {names[UUID(row[0])] for row in await ask(service.urls, QUEUE, event_id)}
    assert set(names.values()) - waiting == seated
    await sound(service, event_id)
    (await four.client.call("leaveEvent", eventId=event_id)).ok()
    await sound(service, event_id)


async def test_who_comes_to_a_queue_where_nobody_fits_is_seated_by_best_fit_alone(service: Service) -> None:
    owner, five, *singles = await some_people(service, 4)
    for policy, status in (("FIFO_STRICT", "WAITLIST"), ("BEST_FIT", "JOINED")):
        event_id = await make_event(owner.client, max=4, waitlistPolicy=policy)
        assert (await _come(five, event_id, *[None] * 4))["status"] == "WAITLIST"
        assert {(await _come(each, event_id))["status"] for each in singles} == {status}
        await sound(service, event_id)

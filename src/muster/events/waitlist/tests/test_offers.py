"""Places that are offered for a time: held, taken, declined, lapsed once; and who is promoted out of turn."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from muster.events.tests.support import FACTS, at_once, some_people, sound
from muster.testing.below import ask, change, value
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import working

_STATUS = "select status from event_members where event_id = $1 and user_id = $2"
_OFFERED = (
    "select user_id from event_members where event_id = $1 and offer_expires_at is not null order by queue_number"
)
_LATE = "update event_members set offer_expires_at = now() - interval '1 second' where event_id = $1 and user_id = $2"
_TOLD = "select kind, user_id from notifications where kind like 'WAITLIST_OFFER%' order by kind"
_CHOSEN = "select data->>'chosen_by_id' from facts where kind = 'event.promoted' and aggregate_id = $1"


async def _offered(service: Service, event_id: UUID) -> list[UUID]:
    return [UUID(int=row[0].int) for row in await ask(service.urls, _OFFERED, event_id)]


async def _queue(service: Service, number: int, **changes: Any) -> tuple[UUID, list[Person]]:
    """An event of so many people that is full after the first two, and offers its places."""
    people = await some_people(service, number)
    event_id = await make_event(people[0].client, max=2, offerMinutes=30, **changes)
    for each in people[1:]:
        (await each.client.call("joinEvent", eventId=event_id)).ok()
    return event_id, people


async def test_a_freed_place_is_held_for_the_first_until_they_take_it(service: Service) -> None:
    event_id, (_, leaver, first, second, late) = await _queue(service, 5)
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    assert await _offered(service, event_id) == [first.user_id]
    refused = await second.client.call("acceptOffer", eventId=event_id)
    assert (refused.status, refused.code) == (409, "NO_PLACE_OFFERED")
    assert (await leaver.client.call("joinEvent", eventId=event_id)).ok()["waitlistPosition"] == 4
    answers = await at_once(*(first.client.call("acceptOffer", eventId=event_id) for _ in range(3)))
    assert {answer.ok()["status"] for answer in answers} == {"JOINED"}
    assert await value(service.urls, FACTS, "event.promoted", event_id) == 1
    assert await _offered(service, event_id) == []
    (await late.client.call("leaveEvent", eventId=event_id)).ok()
    await sound(service, event_id)


async def test_a_declined_offer_goes_to_the_next(service: Service) -> None:
    event_id, (_, leaver, first, second, _) = await _queue(service, 5)
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    (await first.client.call("leaveEvent", eventId=event_id)).ok()
    assert await _offered(service, event_id) == [second.user_id]
    await sound(service, event_id)


async def test_an_offer_lapses_once_and_the_next_is_told(service: Service) -> None:
    event_id, (_, leaver, first, second) = await _queue(service, 4)
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    await change(service.urls, _LATE, event_id, first.user_id)
    refused = await first.client.call("acceptOffer", eventId=event_id)
    assert (refused.status, refused.code) == (409, "PLACE_OFFER_LAPSED")
    async with working(service.urls) as work, working(service.urls) as other:
        soon = datetime.now(UTC) + timedelta(seconds=30)
        await asyncio.gather(work.pass_to(soon), other.pass_to(soon))
    assert await value(service.urls, FACTS, "event.offer_lapsed", event_id) == 1
    assert await value(service.urls, _STATUS, event_id, first.user_id) == "LEFT"
    assert await _offered(service, event_id) == [second.user_id]
    told = {(row[0], UUID(int=row[1].int)) for row in await ask(service.urls, _TOLD)}
    assert told >= {("WAITLIST_OFFERED", second.user_id), ("WAITLIST_OFFER_LAPSED", first.user_id)}
    await sound(service, event_id)


async def test_an_organiser_promotes_anybody_who_waits_and_the_history_says_so(service: Service) -> None:
    event_id, (owner, leaver, first, second) = await _queue(service, 4)
    asked: Any = {"eventId": event_id, "userId": second.user_id}
    assert (await first.client.call("promoteFromWaitlist", **asked)).code == "NOT_ORGANISER"
    assert (await owner.client.call("promoteFromWaitlist", **asked)).code == "EVENT_FULL"
    (await owner.client.call("updateEvent", id=event_id, input={"max": 3, "offerMinutes": 30})).ok()
    assert await _offered(service, event_id) == [first.user_id]
    # The offer holds the place: another has to be made for somebody else.
    assert (await owner.client.call("promoteFromWaitlist", **asked)).code == "EVENT_FULL"
    (await owner.client.call("updateEvent", id=event_id, input={"max": 4})).ok()
    assert (await owner.client.call("promoteFromWaitlist", **asked)).ok()["status"] == "JOINED"
    assert await value(service.urls, _CHOSEN, event_id) == str(owner.user_id)
    asked["userId"] = first.user_id
    assert (await owner.client.call("promoteFromWaitlist", **asked)).ok()["status"] == "JOINED"
    asked["userId"] = leaver.user_id
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    assert (await owner.client.call("promoteFromWaitlist", **asked)).code == "NOT_WAITING"
    await sound(service, event_id)


async def test_guests_are_changed_within_what_is_free(service: Service) -> None:
    owner, host, waiting, single = await some_people(service, 4)
    event_id = await make_event(owner.client, max=4)
    (await host.client.call("joinEvent", eventId=event_id, guests=[{}])).ok()
    (await waiting.client.call("joinEvent", eventId=event_id, guests=[{}, {}])).ok()
    # One place is free, and the party that waits needs three: nobody overtakes them, not even by guests.
    more: Any = {"eventId": event_id, "guests": [{"name": "Ada"}, {}]}
    assert (await host.client.call("bringGuests", **more)).code == "EVENT_FULL"
    assert (await waiting.client.call("bringGuests", eventId=event_id, guests=[])).ok()["status"] == "JOINED"
    assert (await host.client.call("bringGuests", **more)).code == "EVENT_FULL"
    (await single.client.call("joinEvent", eventId=event_id)).ok()
    assert (await host.client.call("bringGuests", eventId=event_id, guests=[])).ok()["partySize"] == 1
    assert await value(service.urls, _STATUS, event_id, single.user_id) == "JOINED"
    assert (await single.client.call("bringGuests", eventId=await make_event(owner.client), guests=[])).status == 404
    await sound(service, event_id)

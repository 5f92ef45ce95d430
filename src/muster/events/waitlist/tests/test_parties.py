"""Parties: people who come under one name are seated together, or wait together."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import QUEUE, some_people, sound
from muster.testing.below import ask, change, value
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import drain

_TOLD = "select user_id from notifications where kind = 'WAITLIST_PARTY_TOO_LARGE'"
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
    owner, leaver, stays, four, pair, late = await some_people(service, 6)
    event_id = await make_event(owner.client, max=5, waitlistPolicy=policy)
    await _come(leaver, event_id, None)
    await _come(stays, event_id, None)
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
        event_id = await make_event(owner.client, max=6, waitlistPolicy=policy)
        (await owner.client.call("bringGuests", eventId=event_id, guests=[{}, {}])).ok()
        assert (await _come(five, event_id, *[None] * 4))["status"] == "WAITLIST"
        assert {(await _come(each, event_id))["status"] for each in singles} == {status}
        await sound(service, event_id)


async def test_a_party_that_is_too_large_is_told_once_while_it_is(service: Service) -> None:
    owner, three, five = await some_people(service, 3)
    event_id = await make_event(owner.client, max=7)
    (await owner.client.call("bringGuests", eventId=event_id, guests=[{}] * 2)).ok()
    for person, guests in ((five, "ABCD"), (three, "EF")):
        assert (await _come(person, event_id, *guests))["status"] == "WAITLIST"

    async def told_after(*sizes: int) -> list[UUID]:
        """Whom changes tell that all come before anybody is told."""
        await change(service.urls, "delete from notifications where kind = 'WAITLIST_PARTY_TOO_LARGE'")
        for most in sizes:
            (await owner.client.call("updateEvent", id=event_id, input={"max": most})).ok()
        await drain(service.urls)
        return sorted(row[0] for row in await ask(service.urls, _TOLD))

    assert await told_after(5) == [five.user_id]
    assert await told_after(4) == []
    assert await told_after(3) == [three.user_id]
    assert await told_after(4, 5) == []
    assert await told_after(4, 3) == [three.user_id]
    assert await told_after(7, 3, 6) == []


@pytest.mark.parametrize("policy", ["FIFO_STRICT", "BEST_FIT"])
async def test_a_party_that_the_event_could_never_seat_is_refused_or_passed_over_and_told_so(
    service: Service, policy: str
) -> None:
    owner, leaver, four, pair, late = await some_people(service, 5)
    event_id = await make_event(owner.client, max=5, waitlistPolicy=policy)
    refused = await four.client.call("joinEvent", eventId=event_id, guests=[{}] * 4)
    assert (refused.status, refused.code) == (409, "PARTY_TOO_LARGE")
    await _come(leaver, event_id, None, None)
    waits = [await _come(four, event_id, *"ABC"), await _come(pair, event_id, "D")]
    assert [each["waitlistPosition"] for each in waits] == [1, 2]
    (await owner.client.call("updateEvent", id=event_id, input={"max": 4})).ok()
    promoted: Any = {"eventId": event_id, "userId": four.user_id}
    assert (await owner.client.call("promoteFromWaitlist", **promoted)).code == "PARTY_TOO_LARGE"
    (await leaver.client.call("leaveEvent", eventId=event_id)).ok()
    assert (await pair.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    assert (await _come(late, event_id))["status"] == "JOINED"
    await sound(service, event_id)
    await drain(service.urls)
    assert await ask(service.urls, _TOLD) == [(four.user_id,)]
    assert await value(service.urls, "select count(*) from mails where kind = 'events.party_too_large'") == 1
    # Their turn was kept: with fewer guests, or in a larger event, they are the first again.
    (await owner.client.call("updateEvent", id=event_id, input={"max": 8})).ok()
    assert (await four.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    more = await late.client.call("bringGuests", eventId=event_id, guests=[{}] * 5)
    assert more.code == "EVENT_FULL"
    await sound(service, event_id)

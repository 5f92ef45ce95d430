"""Handing an event over: who may offer, accept and say no, and that there is one owner whoever acts at the same time."""

from typing import Any
from uuid import UUID

import asyncpg
import pytest

from muster.events.tests.support import FACTS, at_once, some_people, sound
from muster.testing.below import ask, change, value
from muster.testing.people import Person, Standing
from muster.testing.serving import Service
from muster.testing.town import Town, make_event
from muster.testing.work import drain

_OWNERS = "select user_id from event_members where event_id = $1 and role = 'OWNER'"
_OWNER = "select owner_id from events where id = $1"
_PAST = "update event_ownership_offers set expires_at = now() - interval '1 second' where event_id = $1"


async def _owner_of(service: Service, event_id: UUID) -> UUID:
    """Its one owner, who is so by both tables and has a place."""
    ((owner_id,),) = await ask(service.urls, _OWNERS, event_id)
    assert owner_id == await value(service.urls, _OWNER, event_id)
    await sound(service, event_id)
    return UUID(int=owner_id.int)


async def _event_with(owner: Person, *guests: Person) -> UUID:
    event_id = await make_event(owner.client, max=None)
    for guest in guests:
        (await guest.client.call("joinEvent", eventId=event_id)).ok()
    return event_id


async def _offer(owner: Person, event_id: UUID, to: Person) -> Any:
    return await owner.client.call("offerEventOwnership", eventId=event_id, userId=to.user_id)


async def test_offered_accepted_and_told(service: Service) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await _event_with(owner, guest)
    offered = (await _offer(owner, event_id, guest)).ok()
    assert offered["user"]["id"] == str(guest.user_id)
    for person in (owner, guest):
        assert (await person.client.call("eventOwnershipOffer", eventId=event_id)).ok()["id"] == offered["id"]
    taken = (await guest.client.call("acceptEventOwnership", eventId=event_id)).ok()
    assert taken["owner"]["id"] == str(guest.user_id)
    assert await _owner_of(service, event_id) == guest.user_id
    # Who owned it runs it still, and leaves like anybody else; who owns it does not.
    assert (await guest.client.call("leaveEvent", eventId=event_id)).code == "OWNER_STAYS"
    assert (await owner.client.call("deleteEvent", id=event_id)).code == "NOT_OWNER"
    assert (await owner.client.call("leaveEvent", eventId=event_id)).ok()["role"] == "MODERATOR"
    assert (await guest.client.call("eventOwnershipOffer", eventId=event_id)).missing
    await drain(service.urls)
    kinds = "select kind, count(*) from notifications where kind like 'EVENT_OWNER%' group by 1 order by 1"
    assert await ask(service.urls, kinds) == [("EVENT_OWNERSHIP_OFFERED", 1), ("EVENT_OWNER_CHANGED", 2)]


async def test_declined_taken_back_or_over(service: Service) -> None:
    owner, guest, stranger = await some_people(service, 3)
    event_id = await _event_with(owner, guest)
    for who in (guest, owner):
        (await _offer(owner, event_id, guest)).ok()
        assert (await stranger.client.call("endEventOwnershipOffer", eventId=event_id)).code == "OFFER_NOT_FOUND"
        (await who.client.call("endEventOwnershipOffer", eventId=event_id)).ok()
        assert (await guest.client.call("acceptEventOwnership", eventId=event_id)).code == "OFFER_NOT_FOUND"
    facts = [
        await value(service.urls, FACTS, f"event.ownership_{each}", event_id) for each in ("declined", "withdrawn")
    ]
    assert facts == [1, 1]
    (await _offer(owner, event_id, guest)).ok()
    await change(service.urls, _PAST, event_id)
    assert (await guest.client.call("eventOwnershipOffer", eventId=event_id)).missing
    assert (await guest.client.call("acceptEventOwnership", eventId=event_id)).code == "OFFER_NOT_FOUND"
    assert await _owner_of(service, event_id) == owner.user_id


async def test_only_the_owner_offers_and_only_to_who_is_in_it(town: Town) -> None:
    owner, member = town.people[Standing.OWNER], town.people[Standing.MEMBER]
    for to in (owner, town.people[Standing.OUTSIDER], town.people[Standing.OTHER_TENANT], town.waiting, town.kicked):
        refused = await _offer(owner, town.event_id, to)
        assert (refused.code, refused.problem["errors"][0]["path"]) == ("VALIDATION_ERROR", "userId")
    for standing, code in (
        (Standing.MODERATOR, "NOT_OWNER"),
        (Standing.MEMBER, "NOT_ORGANISER"),
        (Standing.OUTSIDER, "NOT_ORGANISER"),
        (Standing.OTHER_TENANT, "EVENT_NOT_FOUND"),
    ):
        assert (await _offer(town.people[standing], town.event_id, member)).code == code
        given = await town.client(standing).call("changeEventOwner", id=town.event_id, userId=member.user_id)
        assert given.code == ("EVENT_NOT_FOUND" if standing == Standing.OTHER_TENANT else "FORBIDDEN")
    (await _offer(owner, town.event_id, member)).ok()
    for standing in (Standing.MODERATOR, Standing.OUTSIDER, Standing.ANONYMOUS):
        accepted = await town.client(standing).call("acceptEventOwnership", eventId=town.event_id)
        assert accepted.code in {"OFFER_NOT_FOUND", "UNAUTHENTICATED"}
    assert await _owner_of(town.service, town.event_id) == owner.user_id


async def test_an_offer_ends_with_the_place_of_whom_it_is_for(service: Service) -> None:
    """Who leaves says no by it, and the owner is told; who is removed is not asked."""
    owner, guest = await some_people(service, 2)
    event_id = await _event_with(owner, guest)
    for verb, who, fact in (("leaveEvent", guest, "declined"), ("kickMember", owner, "withdrawn")):
        (await _offer(owner, event_id, guest)).ok()
        whom: Any = {"userId": guest.user_id} if who is owner else {}
        (await who.client.call(verb, eventId=event_id, **whom)).ok()
        assert (await owner.client.call("eventOwnershipOffer", eventId=event_id)).missing
        assert await value(service.urls, FACTS, f"event.ownership_{fact}", event_id) == 1
        await change(service.urls, "update event_members set status = 'LEFT' where user_id = $1", guest.user_id)
        (await guest.client.call("joinEvent", eventId=event_id)).ok()
        assert (await guest.client.call("acceptEventOwnership", eventId=event_id)).code == "OFFER_NOT_FOUND"
    (await _offer(owner, event_id, guest)).ok()
    (await owner.client.call("cancelEvent", id=event_id)).ok()
    assert (await guest.client.call("acceptEventOwnership", eventId=event_id)).code == "EVENT_CANCELLED"


async def test_one_owner_whoever_acts_at_once(service: Service) -> None:
    """Accepting, taking back, offering to another, leaving and giving it away race; one order of them happened."""
    owner, guest, other, admin = await some_people(service, 4)
    await change(service.urls, "update members set role = 'admin' where user_id = $1", admin.user_id)
    for _ in range(6):
        event_id = await _event_with(owner, guest, other)
        (await _offer(owner, event_id, guest)).ok()
        answers = await at_once(
            guest.client.call("acceptEventOwnership", eventId=event_id),
            owner.client.call("endEventOwnershipOffer", eventId=event_id),
            owner.client.call("offerEventOwnership", eventId=event_id, userId=other.user_id),
            admin.client.call("changeEventOwner", id=event_id, userId=other.user_id),
            guest.client.call("leaveEvent", eventId=event_id),
            owner.client.call("leaveEvent", eventId=event_id),
        )
        assert all(answer.status < 500 for answer in answers)
        assert await _owner_of(service, event_id) in {guest.user_id, other.user_id}
        changes = await value(service.urls, FACTS, "event.owner_changed", event_id)
        assert changes == (answers[0].code is None) + (answers[3].code is None)


async def test_the_database_has_room_for_one_owner(town: Town) -> None:
    second = "update event_members set role = 'OWNER' where event_id = $1 and user_id = $2"
    with pytest.raises(asyncpg.UniqueViolationError, match="event_members_owner_idx"):
        await change(town.service.urls, second, town.event_id, town.people[Standing.MEMBER].user_id)


async def test_an_admin_gives_a_cancelled_event_to_another_and_brings_it_back(town: Town) -> None:
    member, owner = town.people[Standing.MEMBER], town.people[Standing.OWNER]
    await change(town.service.urls, "update members set role = 'admin' where user_id = $1", town.waiting.user_id)
    admin = town.waiting.client
    (await owner.client.call("cancelEvent", id=town.event_id)).ok()
    await change(town.service.urls, "update members set status = 'LEFT' where user_id = $1", owner.user_id)
    assert (await admin.call("restoreEvent", id=town.event_id)).code == "OWNER_GONE"
    given = (await admin.call("changeEventOwner", id=town.event_id, userId=member.user_id)).ok()
    assert given["owner"]["id"] == str(member.user_id)
    assert (await admin.call("restoreEvent", id=town.event_id)).ok()["status"] == "PUBLISHED"
    outsider = town.people[Standing.OUTSIDER]
    refused = await admin.call("changeEventOwner", id=town.event_id, userId=outsider.user_id)
    assert refused.problem["errors"][0]["path"] == "userId"
    assert await value(town.service.urls, FACTS, "event.owner_changed", town.event_id) == 1

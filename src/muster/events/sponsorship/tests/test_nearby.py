"""Local pushes: who near an event is told of it, once, one event a day, and who never is."""

from uuid import UUID

import pytest

from muster.events.sponsorship import notices
from muster.events.tests.support import some_people
from muster.testing.below import ask, change
from muster.testing.people import Person, Standing
from muster.testing.town import Town, make_event
from muster.testing.work import drain

_TOLD = "select user_id from notifications where kind = 'EVENT_NEARBY' and data ->> 'eventId' = $1"
_ANOTHER_DAY = "update event_push_hearers set heard_at = heard_at - interval '25 hours'"
_CREDIT = """
insert into event_sponsorships (tenant_id, id, event_id, number, kind, plan, boosts, pushes, boosts_left, pushes_left,
                                source_key, created_at)
values ($1, gen_random_uuid(), $2, 1, 'RELOAD', 'FREE', 0, 1, 0, 1, $3, now())
"""
# As if the sequencer had queued the handlers of every push once more.
_AGAIN = "insert into outbox (tenant_id, fact_id) select tenant_id, id from facts where kind = 'event.pushed'"
_NEAR, _EDGE, _BEYOND = (52.3, 21.1), (52.2, 21.7), (52.2, 21.8)
"""From the events of the town: 13, 48 and 55 kilometres."""


async def _lives(person: Person, place: tuple[float, float], *, wants: bool = True) -> None:
    given = {"latitude": place[0], "longitude": place[1], "localPushConsent": wants}
    (await person.client.call("updateMyProfile", input=given)).ok()


async def _push(town: Town, event_id: UUID) -> set[UUID]:
    """Who is told of an event."""
    (await town.client(Standing.OWNER).call("pushEvent", eventId=event_id)).ok()
    await drain(town.service.urls)
    return await _told(town, event_id)


async def _told(town: Town, event_id: UUID) -> set[UUID]:
    rows = await ask(town.service.urls, _TOLD, str(event_id))
    assert len(rows) == len({row[0] for row in rows})
    return {row[0] for row in rows}


async def _another(town: Town) -> UUID:
    """Another event that may be told of."""
    event_id = await make_event(town.client(Standing.OWNER))
    await change(town.service.urls, _CREDIT, town.tenant_id, event_id, str(event_id))
    return event_id


async def test_who_is_near_and_wants_it_is_told_once_and_nobody_else(town: Town) -> None:
    near, edge, _, silent, blocked, gone = people = await some_people(town.service, 6)
    places = (_NEAR, _EDGE, _BEYOND, _NEAR, _NEAR, _NEAR)
    for person, place in zip(people, places, strict=True):
        await _lives(person, place, wants=person is not silent)
    owner = town.people[Standing.OWNER]
    (await blocked.client.call("blockUser", userId=owner.user_id)).ok()
    for each in (town.people[Standing.MEMBER], town.kicked):
        await _lives(each, _NEAR)
    left = "update members set status = 'LEFT' where user_id = $1"
    await change(town.service.urls, left, gone.user_id)
    assert await _push(town, town.event_id) == {near.user_id, edge.user_id}


async def test_however_often_it_is_begun_again_each_is_told_once(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """In parts of one, so that who is left over is found by the next run."""
    monkeypatch.setattr(notices, "BATCH", 1)
    people = await some_people(town.service, 3)
    for person in people:
        await _lives(person, _NEAR)
    told = {person.user_id for person in people}
    assert await _push(town, town.event_id) == told
    await change(town.service.urls, "delete from notifications where user_id = $1", people[1].user_id)
    await change(town.service.urls, "delete from event_push_hearers where id = $1", people[1].user_id)
    await change(town.service.urls, _AGAIN)
    await drain(town.service.urls)
    assert await _told(town, town.event_id) == told


async def test_nobody_hears_of_two_events_in_a_day(town: Town) -> None:
    (near,) = await some_people(town.service, 1)
    await _lives(near, _NEAR)
    first, second, third = [await _another(town) for _ in range(3)]
    assert await _push(town, first) == {near.user_id}
    assert await _push(town, second) == set()
    await change(town.service.urls, _ANOTHER_DAY)
    assert await _push(town, third) == {near.user_id}


async def test_what_is_hidden_or_called_off_by_then_is_told_to_nobody(town: Town) -> None:
    (near,) = await some_people(town.service, 1)
    await _lives(near, _NEAR)
    owner, hidden, cancelled = town.client(Standing.OWNER), await _another(town), await _another(town)
    for event_id in (hidden, cancelled):
        (await owner.call("pushEvent", eventId=event_id)).ok()
    (await owner.call("updateEvent", id=hidden, input={"visibility": "HIDDEN"})).ok()
    (await owner.call("cancelEvent", id=cancelled)).ok()
    await drain(town.service.urls)
    assert await _told(town, hidden) == await _told(town, cancelled) == set()

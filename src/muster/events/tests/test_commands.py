"""The verbs of events against the database, with the races they guard run for real."""

import asyncio
import random
from collections.abc import Sequence
from uuid import UUID

import pytest

from muster.events.tests.support import FACTS, QUEUE, SEATED, at_once, some_people, sound
from muster.testing.below import ask, maintenance, value
from muster.testing.client import Answer
from muster.testing.people import Person, Standing, sign_in
from muster.testing.serving import Service
from muster.testing.town import SEATS, Town, make_event

_INTO_INDEXES = "select n_tup_upd - n_tup_hot_upd from pg_stat_xact_user_tables where relname = 'events'"
"""How many updates of this transaction were written into all of the row's indexes."""


async def test_ten_who_join_at_once_for_three_places(service: Service) -> None:
    owner, *people = await some_people(service, 11)
    event_id = await make_event(owner.client, max=4)
    answers = await at_once(*(each.client.call("joinEvent", eventId=event_id) for each in people))
    given = [answer.ok() for answer in answers]
    assert sorted(each["status"] for each in given) == ["JOINED"] * 3 + ["WAITLIST"] * 7
    places = sorted(each["waitlistPosition"] for each in given if each["status"] == "WAITLIST")
    queue = await ask(service.urls, QUEUE, event_id)
    assert [row[1] for row in queue] == list(range(1, 8))
    assert places[0] == 1
    await sound(service, event_id)
    assert await value(service.urls, FACTS, "event.joined", event_id) == 3
    assert await value(service.urls, FACTS, "event.waitlisted", event_id) == 7


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("seated", "touched"), [(1, 0), (3, 0), (4, 1), (5, 0), (9, 1), (18, 0), (19, 1), (99, 1), (100, 0)]
)
async def test_most_who_join_touch_no_index_of_events(module_town: Town, seated: int, touched: int) -> None:
    async with maintenance(module_town.service.urls) as look:
        transaction = look.transaction()
        await transaction.start()
        await look.execute(
            "update events set joined_count = $2, max = null where id = $1", module_town.event_id, seated
        )
        before = await look.fetchval(_INTO_INDEXES)
        await look.execute("update events set joined_count = joined_count + 1 where id = $1", module_town.event_id)
        assert await look.fetchval(_INTO_INDEXES) - before == touched
        await transaction.rollback()


async def test_one_who_joins_ten_times_at_once_is_one_member(service: Service) -> None:
    owner, person = await some_people(service, 2)
    event_id = await make_event(owner.client)
    answers = await at_once(*(person.client.call("joinEvent", eventId=event_id) for _ in range(10)))
    assert len({answer.ok()["id"] for answer in answers}) == 1
    assert sorted(answer.status for answer in answers) == [200] * 9 + [201]
    assert await value(service.urls, FACTS, "event.joined", event_id) == 1
    await sound(service, event_id)


async def test_who_comes_in_a_crowd_gets_what_they_would_get_alone(service: Service) -> None:
    owner, kicked, *people = await some_people(service, 14)
    small, open_ = await make_event(owner.client, max=3), await make_event(owner.client, max=50)
    private = await make_event(owner.client, joinMode="INVITE_ONLY")
    draft = await make_event(owner.client, publish=False)
    (await kicked.client.call("joinEvent", eventId=open_)).ok()
    (await owner.client.call("kickMember", eventId=open_, userId=kicked.user_id)).ok()
    wanted = [(kicked, open_), *((each, event) for each in people for event in (small, open_, private, draft))]
    answers = await at_once(*(person.client.call("joinEvent", eventId=event) for person, event in wanted))
    told: dict[UUID, list[Answer]] = {}
    for answer, (_, event) in zip(answers, wanted, strict=True):
        told.setdefault(event, []).append(answer)
    assert sorted(answer.ok()["status"] for answer in told[small]) == ["JOINED"] * 2 + ["WAITLIST"] * 10
    assert [answer.code for answer in told[open_][:1]] == ["WAS_KICKED"]
    assert {answer.ok()["status"] for answer in told[open_][1:]} == {"JOINED"}
    assert {answer.code for answer in told[private]} == {"NOT_INVITED"}
    assert {answer.code for answer in told[draft]} == {"EVENT_NOT_FOUND"}
    assert [row[1] for row in await ask(service.urls, QUEUE, small)] == list(range(1, 11))
    for event in (small, open_):
        await sound(service, event)


@pytest.mark.parametrize("seed", range(3))
async def test_a_storm_of_joins_and_leaves_ends_in_order(service: Service, seed: int) -> None:
    dice = random.Random(seed)
    owner, *people = await some_people(service, 13)
    event_id = await make_event(owner.client, max=5)

    async def come_and_go(person: Person, verbs: Sequence[str]) -> list[Answer]:
        return [await person.client.call(verb, eventId=event_id) for verb in verbs]

    verbs = {each.name: ["joinEvent", *dice.choices(["joinEvent", "leaveEvent"], k=5)] for each in people}
    await asyncio.gather(*(come_and_go(each, verbs[each.name]) for each in people))
    await sound(service, event_id)
    inside = await value(
        service.urls,
        "select count(*) from event_members where event_id = $1 and status in ('JOINED', 'WAITLIST')",
        event_id,
    )
    assert inside == 1 + sum(verbs[each.name][-1] == "joinEvent" for each in people)


async def test_freed_places_go_to_the_longest_waiting_each_once(service: Service) -> None:
    owner, *people = await some_people(service, 10)
    event_id = await make_event(owner.client, max=4)
    for person in people:
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    seated, waiting = people[:3], people[3:]
    await at_once(*(each.client.call("leaveEvent", eventId=event_id) for each in seated))
    mine = [(await each.client.call("myMembershipForEvent", eventId=event_id)).ok() for each in waiting]
    assert [each["status"] for each in mine] == ["JOINED"] * 3 + ["WAITLIST"] * 3
    assert [each["waitlistPosition"] for each in mine] == [None, None, None, 1, 2, 3]
    assert await value(service.urls, FACTS, "event.promoted", event_id) == 3
    await sound(service, event_id)


async def test_who_comes_back_stands_at_the_end(service: Service) -> None:
    owner, first, second, third = await some_people(service, 4)
    event_id = await make_event(owner.client, max=2)
    for person in (first, second, third):
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    (await second.client.call("leaveEvent", eventId=event_id)).ok()
    again = (await second.client.call("joinEvent", eventId=event_id)).ok()
    assert (again["status"], again["waitlistPosition"]) == ("WAITLIST", 2)
    (await first.client.call("leaveEvent", eventId=event_id)).ok()
    assert (await third.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"


async def test_two_who_publish_at_once_publish_once(service: Service) -> None:
    owner = await sign_in(service, "owner")
    event_id = await make_event(owner.client, publish=False)
    answers = await at_once(*(owner.client.call("publishEvent", id=event_id) for _ in range(4)))
    assert sorted(str(answer.code) for answer in answers) == ["ALREADY_PUBLISHED"] * 3 + ["None"]
    assert await value(service.urls, FACTS, "event.published", event_id) == 1


async def test_who_is_removed_speaks_before_that_or_not_at_all(town: Town) -> None:
    member, owner = town.people[Standing.MEMBER], town.client(Standing.OWNER)
    spoken = [member.client.call("sendEventMessage", eventId=town.event_id, content=f"{n}") for n in range(8)]
    answers = await at_once(*spoken, owner.call("kickMember", eventId=town.event_id, userId=member.user_id))
    answers[-1].ok()
    heard = sum(answer.code is None for answer in answers[:-1])
    assert {answer.code for answer in answers[:-1]} <= {None, "NOT_IN_ROOM"}
    stored = await value(
        town.service.urls,
        "select count(*) from messages where room_id = $1 and author_id = $2",
        town.event_id,
        member.user_id,
    )
    # One message is the town's own.
    assert stored == heard + 1
    late = await member.client.call("sendEventMessage", eventId=town.event_id, content="and another thing")
    assert late.code == "NOT_IN_ROOM"
    await sound(town.service, town.event_id)


async def test_a_message_never_has_anothers_number(town: Town) -> None:
    speakers = [town.client(each) for each in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER)]
    calls = [each.call("sendEventMessage", eventId=town.event_id, content="hello") for each in speakers * 5]
    answers = await at_once(*calls)
    # The town's own message is the first.
    assert sorted(answer.ok()["sequence"] for answer in answers) == list(range(2, 17))


async def test_the_town_is_as_it_says(town: Town) -> None:
    assert await value(town.service.urls, SEATED, town.event_id) == SEATS
    assert [row[0] for row in await ask(town.service.urls, QUEUE, town.event_id)] == [str(town.waiting.user_id)]
    await sound(town.service, town.event_id)

"""An event's book: credited once, spent once, by whom and of what it may be."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once
from muster.testing.below import ask, change, snapshot
from muster.testing.client import Answer, Way
from muster.testing.people import Person, Standing, founder_of
from muster.testing.town import Town, make_event
from muster.testing.work import drain

_BOOST_OVER = "update events set boosted_until = now() - interval '1 second' where id = $1"
_LONG_AGO = "update event_sponsorships set created_at = created_at - interval '25 hours' where event_id = $1"
_TOLD = "select user_id from notifications where kind = $1"


async def _admin(town: Town) -> Person:
    return await founder_of(town.service, town.tenant_id)


async def _credit(by: Person, event_id: UUID, way: Way = Way.REST, **given: Any) -> Answer:
    return await by.client.call("creditSponsorship", way=way, eventId=event_id, input=given)


async def _state(town: Town, event_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = (await town.client(Standing.OWNER).call("eventSponsorship", eventId=event_id)).ok()
    return found


async def _left(town: Town, event_id: UUID) -> tuple[str, int, int]:
    found = await _state(town, event_id)
    return found["plan"], found["boostsLeft"], found["pushesLeft"]


@pytest.mark.parametrize("way", Way)
async def test_credits_add_up_and_a_key_counts_once(town: Town, way: Way) -> None:
    admin, event_id = await _admin(town), await make_event(town.client(Standing.OWNER))
    first: dict[str, Any] = {"kind": "NEW", "plan": "PLUS", "sourceKey": "first"}
    for _ in range(2):
        (await _credit(admin, event_id, way, **first)).ok()
    assert await _left(town, event_id) == ("PLUS", 1, 1)
    (await _credit(admin, event_id, way, kind="UPGRADE", plan="PRO", sourceKey="second")).ok()
    assert await _left(town, event_id) == ("PRO", 3, 3)
    (await _credit(admin, event_id, way, kind="RELOAD", actions=5, sourceKey="third")).ok()
    (await _credit(admin, event_id, way, kind="NEW", plan="PLUS", sourceKey="fourth")).ok()
    assert await _left(town, event_id) == ("PRO", 9, 9)
    elsewhere = await _credit(admin, town.event_id, way, **first)
    assert (elsewhere.status, elsewhere.code) == (409, "CREDITED_ELSEWHERE")
    book = (await town.client(Standing.OWNER).call("eventSponsorshipEntries", way=way, eventId=event_id)).ok()["items"]
    assert [(each["number"], each["kind"], each["boosts"]) for each in book] == [
        (4, "NEW", 1),
        (3, "RELOAD", 5),
        (2, "UPGRADE", 2),
        (1, "NEW", 1),
    ]
    await drain(town.service.urls)
    assert {row[0] for row in await ask(town.service.urls, _TOLD, "EVENT_SPONSORED")} == {
        town.people[Standing.OWNER].user_id
    }


async def test_a_payment_that_comes_many_times_at_once_is_credited_once(town: Town) -> None:
    admin, owner = await _admin(town), town.client(Standing.OWNER)
    events = [await make_event(owner), await make_event(owner)]
    paid: dict[str, Any] = {"kind": "RELOAD", "actions": 3, "sourceKey": "payment"}
    answers = await at_once(*(_credit(admin, events[number % 2], **paid) for number in range(8)))
    assert sorted(each.status for each in answers) == [200] * 4 + [409] * 4
    assert sorted([await _left(town, each) for each in events]) == [("FREE", 0, 0), ("FREE", 3, 3)]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "BOOST"}, "kind"),
        ({"kind": "NEW"}, "plan"),
        ({"kind": "NEW", "plan": "FREE"}, "plan"),
        ({"kind": "NEW", "plan": "PRO", "actions": 1}, "actions"),
        ({"kind": "RELOAD", "plan": "PRO", "actions": 1}, "plan"),
        ({"kind": "RELOAD"}, "actions"),
        ({"kind": "RELOAD", "actions": 2}, "actions"),
        ({"kind": "RELOAD", "actions": 1, "sourceKey": "two words"}, "sourceKey"),
    ],
)
async def test_what_is_no_credit(town: Town, given: dict[str, Any], field: str) -> None:
    admin, before = await _admin(town), await snapshot(town.service.urls, without=["audit_rows"])
    answer = await _credit(admin, town.event_id, **{"sourceKey": "none", **given})
    assert answer.status in (400, 422)
    assert field in answer.problem["detail"]
    assert await snapshot(town.service.urls, without=["audit_rows", "sessions", "members"]) == {
        name: rows for name, rows in before.items() if name not in ("sessions", "members")
    }


async def test_the_last_boost_and_push_are_spent_once_whoever_spends_them_at_the_same_time(town: Town) -> None:
    organisers = [town.client(each) for each in (Standing.OWNER, Standing.MODERATOR)] * 3
    boosted = await at_once(*(each.call("boostEvent", eventId=town.event_id) for each in organisers))
    pushed = await at_once(*(each.call("pushEvent", eventId=town.event_id) for each in organisers))
    assert sorted(each.status for each in boosted) == sorted(each.status for each in pushed) == [200] + [409] * 5
    assert {each.code for each in boosted} == {None, "BOOSTED_ALREADY"}
    assert {each.code for each in pushed} == {None, "PUSHED_LATELY"}
    state = await _state(town, town.event_id)
    assert [state[name] for name in ("boostsLeft", "boostsUsed", "pushesLeft", "pushesUsed")] == [0, 1, 0, 1]
    assert datetime.fromisoformat(state["boostedUntil"]) > datetime.now(UTC) + timedelta(hours=23)
    event = (await town.client(Standing.ANONYMOUS).call("event", id=town.event_id)).ok()
    assert event["boostedUntil"] == state["boostedUntil"]
    await change(town.service.urls, _BOOST_OVER, town.event_id)
    await change(town.service.urls, _LONG_AGO, town.event_id)
    assert (await organisers[0].call("boostEvent", eventId=town.event_id)).code == "NO_BOOST_LEFT"
    assert (await organisers[0].call("pushEvent", eventId=town.event_id)).code == "NO_PUSH_LEFT"
    await drain(town.service.urls)
    assert len(await ask(town.service.urls, _TOLD, "EVENT_BOOSTED")) == 1


@pytest.mark.parametrize("verb", ["boostEvent", "pushEvent"])
async def test_only_organisers_advertise_and_only_what_is_out_and_listed(town: Town, verb: str) -> None:
    owner, urls = town.client(Standing.OWNER), town.service.urls
    for by, event_id, refused in (
        (Standing.MEMBER, town.event_id, (403, "NOT_ORGANISER")),
        (Standing.OUTSIDER, town.hidden_id, (404, "EVENT_NOT_FOUND")),
        (Standing.OTHER_TENANT, town.event_id, (404, "EVENT_NOT_FOUND")),
        (Standing.OWNER, town.draft_id, (409, "NOT_PUBLISHED")),
        (Standing.OWNER, town.hidden_id, (409, "NOT_LISTED")),
    ):
        answer = await town.client(by).call(verb, eventId=event_id)
        assert (answer.status, answer.code) == refused
    await change(
        urls, "update events set starts_at = now() - interval '2 days', ends_at = now() where id = $1", town.event_id
    )
    assert (await owner.call(verb, eventId=town.event_id)).code == "EVENT_OVER"


async def test_nobody_grants_themselves_anything(town: Town) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    for by in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER, Standing.OUTSIDER):
        refused = await _credit(town.people[by], town.event_id, kind="NEW", plan="PRO", sourceKey="mine")
        assert (refused.status, refused.code) == (403, "FORBIDDEN")
    for by in (Standing.MEMBER, Standing.OUTSIDER):
        assert (await town.client(by).call("eventSponsorship", eventId=town.event_id)).missing
        assert (await town.client(by).call("eventSponsorshipEntries", eventId=town.event_id)).missing
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


async def test_an_event_without_a_point_is_near_nobody(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    event_id = await make_event(owner, meetingKind="ONLINE", latitude=None, longitude=None, address=None, city=None)
    assert (await owner.call("pushEvent", eventId=event_id)).code == "NOWHERE_NEAR"

"""Plans that limit events where the community wants it, and limit nothing where it does not."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once
from muster.testing.below import change, value
from muster.testing.client import Answer
from muster.testing.people import Standing
from muster.testing.town import Town, make_event

_LIMIT = "update tenants set limits_events = true where id = $1"
_PLAN = "update events set plan = $1 where id = $2"
_ACTIVE = "select count(*) from events where owner_id = $1 and status = 'PUBLISHED' and plan = 'FREE'"
_PLAIN = {"meetingKind": "ONSITE", "onlineUrl": None}


@pytest.fixture
async def limited(town: Town) -> Town:
    await change(town.service.urls, _LIMIT, town.tenant_id)
    await change(town.service.urls, _PLAN, "FREE", town.event_id)
    return town


def _refused(answer: Answer, limit: str, current: int | None, allowed: int, remedy: str | None) -> None:
    assert (answer.status, answer.code) == (409, "PLAN_LIMIT"), answer
    told = [answer.problem[name] for name in ("limit", "current", "allowed", "remedy", "plan")]
    assert told == [limit, current, allowed, remedy, "FREE"]


async def test_without_limits_every_event_may_have_all_there_is(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    event_id = await make_event(owner, max=None, meetingKind="HYBRID")
    asked = [{"kind": "TEXT", "label": f"Question {number}?"} for number in range(50)]
    (await owner.call("updateEventJoinForm", eventId=event_id, input={"questions": asked})).ok()
    (await owner.call("sendEventMessage", eventId=event_id, content="Hello")).ok()
    for _ in range(4):
        await make_event(owner)


async def test_an_event_is_as_large_as_its_plan_allows(limited: Town) -> None:
    owner = limited.client(Standing.OWNER)

    async def drafted(**changes: Any) -> Answer:
        given = {**_PLAIN, "max": 50, **changes}
        body: dict[str, Any] = (await owner.call("event", id=limited.event_id)).ok()
        fields = {name: body[name] for name in ("startsAt", "endsAt", "timezone", "latitude", "longitude")}
        wanted = {"title": "Another evening", "description": "", "address": "Here", "mode": "CUSTOM", **fields, **given}
        return await owner.call("createEvent", input={name: each for name, each in wanted.items() if each is not None})

    _refused(await drafted(max=51), "PARTICIPANTS", 51, 50, "PLUS")
    _refused(await drafted(max=None), "PARTICIPANTS", None, 50, None)
    _refused(await drafted(meetingKind="HYBRID", onlineUrl="https://meet.example"), "HYBRID", 1, 0, "PLUS")
    made = (await drafted()).ok()
    _refused(await owner.call("updateEvent", id=made["id"], input={"max": 400}), "PARTICIPANTS", 400, 50, "PRO")
    (await owner.call("updateEvent", id=made["id"], input={"title": "Yet another evening"})).ok()
    await change(limited.service.urls, _PLAN, "PRO", UUID(made["id"]))
    (await owner.call("updateEvent", id=made["id"], input={"max": 400})).ok()


async def test_what_an_event_had_before_is_not_held_against_it(limited: Town) -> None:
    """The town's event was hybrid before plans limited anything."""
    owner = limited.client(Standing.OWNER)
    (await owner.call("updateEvent", id=limited.event_id, input={"title": "The same evening"})).ok()
    _refused(await owner.call("publishEvent", id=limited.draft_id), "HYBRID", 1, 0, "PLUS")


async def test_questions_moderators_and_talk(limited: Town) -> None:
    owner, event_id = limited.client(Standing.OWNER), limited.event_id
    asked = [{"kind": "TEXT", "label": f"Question {number}?"} for number in range(4)]
    form = await owner.call("updateEventJoinForm", eventId=event_id, input={"questions": asked})
    _refused(form, "JOIN_QUESTIONS", 4, 3, "PLUS")
    (await owner.call("updateEventJoinForm", eventId=event_id, input={"questions": asked[:3]})).ok()
    member = limited.people[Standing.MEMBER]
    raised = await owner.call("updateMemberRole", eventId=event_id, userId=member.user_id, role="MODERATOR")
    _refused(raised, "CO_ORGANISERS", 2, 1, "PLUS")
    _refused(await member.client.call("sendEventMessage", eventId=event_id, content="Hello"), "CHAT", 1, 0, "PLUS")
    await change(limited.service.urls, _PLAN, "PLUS", event_id)
    (await owner.call("updateMemberRole", eventId=event_id, userId=member.user_id, role="MODERATOR")).ok()
    (await member.client.call("sendEventMessage", eventId=event_id, content="Hello")).ok()


async def test_an_owner_has_as_many_active_events_as_the_plan_allows_however_many_publish_at_once(
    limited: Town,
) -> None:
    """Of the three that FREE allows the town's owner has two, one of them hidden."""
    owner, owner_id = limited.client(Standing.OWNER), limited.people[Standing.OWNER].user_id
    drafts = [await make_event(owner, publish=False, **_PLAIN) for _ in range(4)]
    answers = await at_once(*(owner.call("publishEvent", id=each) for each in drafts))
    assert sorted(each.status for each in answers) == [200, 409, 409, 409]
    for each in answers:
        if each.status != 200:
            _refused(each, "ACTIVE_EVENTS", 4, 3, "PLUS")
    assert await value(limited.service.urls, _ACTIVE, owner_id) == 3
    published = next(each.ok()["id"] for each in answers if each.status == 200)
    (await owner.call("cancelEvent", id=published)).ok()
    left = next(each for each in drafts if str(each) != published)
    (await owner.call("publishEvent", id=left)).ok()

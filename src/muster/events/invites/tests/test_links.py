"""Links into events: what they open and what they never do, exactly as often as they may, and told to nobody else."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once, some_people, sound
from muster.testing.below import ask, change, value
from muster.testing.client import Client, Way
from muster.testing.people import Person, found_tenant
from muster.testing.serving import Service
from muster.testing.town import make_event

_USES = "select uses, (select count(*) from event_invite_link_uses u where u.link_id = l.id) from event_invite_links l"


async def _link(owner: Person, event_id: UUID, **input: object) -> dict[str, Any]:
    made: dict[str, Any] = (await owner.client.call("createEventInviteLink", eventId=event_id, input=input)).ok()
    return made


async def _come(person: Person, link: dict[str, Any], **more: Any) -> Any:
    return await person.client.call("joinByInviteLink", code=link["code"], **more)


@pytest.mark.parametrize("mode", ["OPEN", "REQUEST", "INVITE_ONLY"])
async def test_a_link_opens_events_of_every_join_mode_and_hidden_ones(service: Service, mode: str) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client, joinMode=mode, visibility="HIDDEN", max=3)
    link = await _link(owner, event_id)
    seen = (await Client(service).call("validateInviteLink", code=link["code"])).ok()
    assert (seen["event"]["id"], seen["lockReason"]) == (str(event_id), "")
    joined = await _come(guest, link, guests=[{"name": "Ada"}])
    assert (joined.status, joined.ok()["status"], joined.ok()["partySize"]) == (201, "JOINED", 2)
    assert (await _come(guest, link)).status == 200
    assert await ask(service.urls, _USES) == [(1, 1)]
    assert (await Client(service).call("validateInviteLink", code=link["code"])).ok()["lockReason"] == "FULL"
    await sound(service, event_id)


async def test_a_link_shows_what_the_event_asks_and_takes_the_answers(service: Service) -> None:
    """Of a hidden event too, whose form nobody else reads."""
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client, visibility="HIDDEN")
    asked = {"questions": [{"kind": "TEXT", "label": "What do you eat?"}]}
    made = (await owner.client.call("updateEventJoinForm", eventId=event_id, input=asked)).ok()
    link = await _link(owner, event_id, maxUses=1)
    assert (await guest.client.call("eventJoinForm", eventId=event_id)).missing
    (question_id,) = [each["id"] for each in made["questions"]]
    for way in Way:
        seen = (await Client(service).call("validateInviteLink", way=way, code=link["code"])).ok()
        assert [each["id"] for each in seen["joinForm"]["questions"]] == [question_id]
        refused = await _come(guest, link, way=way)
        assert (refused.code, refused.problem["errors"][0]["code"]) == ("VALIDATION_ERROR", "ANSWER_MISSING")
    assert await ask(service.urls, _USES) == [(0, 0)]
    came = (await _come(guest, link, answers=[{"questionId": question_id, "text": "Rice"}])).ok()
    assert (came["status"], came["answers"][0]["text"]) == ("JOINED", "Rice")


async def test_a_link_is_used_exactly_as_often_as_it_may_be(service: Service) -> None:
    owner, *people = await some_people(service, 9)
    event_id = await make_event(owner.client, joinMode="INVITE_ONLY", max=4)
    link = await _link(owner, event_id, maxUses=5)
    answers = await at_once(*(_come(each, link) for each in people for _ in range(2)))
    assert {answer.code for answer in answers if answer.status >= 400} == {"EVENT_LINK_INVALID"}
    assert await ask(service.urls, _USES) == [(5, 5)]
    inside = "select count(*) from event_members where event_id = $1 and status in ('JOINED', 'WAITLIST')"
    assert await value(service.urls, inside, event_id) == 6
    log = (await owner.client.call("eventInviteLink", eventId=event_id, id=link["id"])).ok()
    assert log["uses"] == 5
    await sound(service, event_id)


async def test_a_link_leads_past_no_ban_no_full_house_and_no_shut_door(service: Service) -> None:
    owner, kicked, banned, late, outside = await some_people(service, 5)
    event_id = await make_event(owner.client, max=2)
    link = await _link(owner, event_id)
    (await _come(kicked, link)).ok()
    (await owner.client.call("kickMember", eventId=event_id, userId=kicked.user_id)).ok()
    assert (await _come(kicked, link)).code == "WAS_KICKED"
    (await _come(banned, link)).ok()
    await change(
        service.urls,
        "update event_members set status = 'BANNED' where user_id = $1 and event_id = $2",
        banned.user_id,
        event_id,
    )
    assert (await _come(banned, link)).code == "BANNED"
    assert (await _come(late, link)).ok()["status"] == "WAITLIST"
    (await owner.client.call("cancelEvent", id=event_id)).ok()
    refused = await _come(outside, link)
    assert (refused.status, refused.problem["reason"]) == (409, "CANCELED")


async def test_whatever_is_wrong_with_a_link_nobody_is_told_what(service: Service) -> None:
    owner, person = await some_people(service, 2)
    event_id, draft_id = await make_event(owner.client), await make_event(owner.client, publish=False)
    expired, revoked, full = [await _link(owner, event_id, maxUses=1) for _ in range(3)]
    drafted = await _link(owner, draft_id)
    await change(service.urls, "update event_invite_links set expires_at = now() where id = $1", UUID(expired["id"]))
    gone: Any = {"eventId": event_id, "id": revoked["id"]}
    for _ in range(2):
        assert (await owner.client.call("revokeEventInviteLink", **gone)).ok()["revokedAt"] is not None
    await change(service.urls, "update event_invite_links set uses = 1 where id = $1", UUID(full["id"]))
    for link in (expired, revoked, full, drafted, {"code": "neverMade1"}):
        for answer in (
            await Client(service).call("validateInviteLink", code=link["code"]),
            await _come(person, link),
        ):
            assert (answer.status, answer.code) == (404, "EVENT_LINK_INVALID")


async def test_a_link_of_another_community_is_like_one_that_was_never_made(service: Service) -> None:
    owner, person = await some_people(service, 2)
    elsewhere = Person(owner.user_id, owner.name, owner.client.in_tenant(await found_tenant(owner, "elsewhere")))
    link = await _link(elsewhere, await make_event(elsewhere.client))
    for answer in (await Client(service).call("validateInviteLink", code=link["code"]), await _come(person, link)):
        assert (answer.status, answer.code) == (404, "EVENT_LINK_INVALID")
    assert await ask(service.urls, _USES) == [(0, 0)]


async def test_organisers_alone_make_see_and_change_links(service: Service) -> None:
    owner, person = await some_people(service, 2)
    event_id = await make_event(owner.client)
    ahead = datetime.now(UTC) + timedelta(days=1)
    link = await _link(owner, event_id, label="The poster", maxUses=2, expiresAt=ahead)
    (await _come(person, link)).ok()
    of: Any = {"eventId": event_id, "id": link["id"]}
    verbs: Any = (("updateEventInviteLink", {"input": {"label": "Mine"}}), ("revokeEventInviteLink", {}))
    for verb, more in verbs:
        assert (await person.client.call(verb, **of, **more)).code == "NOT_ORGANISER"
    assert (await person.client.call("createEventInviteLink", eventId=event_id, input={})).code == "NOT_ORGANISER"
    assert (await person.client.call("eventInviteLinks", eventId=event_id)).ok()["items"] == []
    cleared = {"label": None, "maxUses": None, "expiresAt": None}
    changed = (await owner.client.call("updateEventInviteLink", **of, input=cleared)).ok()
    assert {name: changed[name] for name in cleared} == cleared
    (await owner.client.call("updateEventInviteLink", **of, input={"maxUses": 1})).ok()
    past = datetime.now(UTC) - timedelta(days=1)
    refused = await owner.client.call("updateEventInviteLink", **of, input={"expiresAt": past})
    assert refused.problem["errors"][0]["path"] == "expiresAt"

"""Who may do what to an event: every verb, tried as everybody; and what only who manages all events may."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster.events.rules import MAY, Deed, MemberDeed, Who
from muster.events.tests.support import FACTS
from muster.testing.below import ask, change, value
from muster.testing.people import Person, Standing
from muster.testing.town import Town, make_event
from muster.testing.work import drain

pytestmark = pytest.mark.asyncio(loop_scope="module")

VERBS: dict[Deed | MemberDeed, str] = {
    Deed.UPDATE: "updateEvent",
    Deed.PUBLISH: "publishEvent",
    Deed.SCHEDULE: "schedulePublication",
    Deed.UNPUBLISH: "unpublishEvent",
    Deed.CANCEL: "cancelEvent",
    Deed.DELETE: "deleteEvent",
    Deed.RESTORE: "restoreEvent",
    MemberDeed.KICK: "kickMember",
    Deed.CHANGE_ROLE: "updateMemberRole",
}
REFUSALS = {"NOT_ORGANISER", "NOT_OWNER", "FORBIDDEN"}
LATER = datetime.now(UTC) + timedelta(hours=2)


async def _people(town: Town) -> dict[Who | None, Person]:
    """Somebody of each kind, who may least first; None is a member of the community who is not in the event."""
    people: dict[Who | None, Person] = {
        None: town.people[Standing.OUTSIDER],
        Who.PARTICIPANT: town.people[Standing.MEMBER],
        Who.MODERATOR: town.people[Standing.MODERATOR],
        Who.COMMUNITY_MODERATOR: town.waiting,
        Who.OWNER: town.people[Standing.OWNER],
        Who.COMMUNITY_ADMIN: town.kicked,
    }
    for who, role in ((Who.COMMUNITY_MODERATOR, "moderator"), (Who.COMMUNITY_ADMIN, "admin")):
        await change(
            town.service.urls,
            "update members set role = $1 where tenant_id = $2 and user_id = $3",
            role,
            town.tenant_id,
            people[who].user_id,
        )
    return people


async def _event(town: Town, people: dict[Who | None, Person]) -> Any:
    owner = people[Who.OWNER].client
    event_id = await make_event(owner, max=None)
    for who in (Who.PARTICIPANT, Who.MODERATOR):
        (await people[who].client.call("joinEvent", eventId=event_id)).ok()
    moderator_id = people[Who.MODERATOR].user_id
    (await owner.call("updateMemberRole", eventId=event_id, userId=moderator_id, role="MODERATOR")).ok()
    return event_id


@pytest.mark.parametrize("deed", VERBS)
async def test_every_verb_as_everybody(module_town: Town, deed: Deed | MemberDeed) -> None:
    people = await _people(module_town)
    event_id = await _event(module_town, people)
    target = {"eventId": event_id, "userId": people[Who.PARTICIPANT].user_id}
    given: dict[str, dict[str, Any]] = {
        "updateEvent": {"id": event_id, "input": {"notes": "Bring a pen"}},
        "schedulePublication": {"id": event_id, "publishAt": LATER},
        "kickMember": target,
        "updateMemberRole": {**target, "role": "MODERATOR"},
    }
    verb = VERBS[deed]
    for who, person in people.items():
        answer = await person.client.call(verb, **given.get(verb, {"id": event_id}))
        may = who in MAY[deed]
        assert (answer.code not in REFUSALS) == may, (who, answer)
        if not may and deed != Deed.RESTORE:
            runs = who in MAY[Deed.UPDATE]
            assert answer.code == ("NOT_OWNER" if runs else "NOT_ORGANISER"), (who, answer)


async def test_a_moderator_without_a_place_is_nobody(module_town: Town) -> None:
    people = await _people(module_town)
    event_id = await _event(module_town, people)
    (await people[Who.MODERATOR].client.call("leaveEvent", eventId=event_id)).ok()
    for verb in ("publishEvent", "cancelEvent", "deleteEvent"):
        assert (await people[Who.MODERATOR].client.call(verb, id=event_id)).code == "NOT_ORGANISER"


async def test_an_admin_deletes_at_once_and_brings_back(module_town: Town) -> None:
    people = await _people(module_town)
    event_id, admin = await _event(module_town, people), people[Who.COMMUNITY_ADMIN].client
    assert (await admin.call("deleteEvent", id=event_id)).ok()["status"] == "DELETED"
    assert (await people[Who.OWNER].client.call("event", id=event_id)).missing
    await drain(module_town.service.urls)
    told = "select count(*) from notifications where kind = $1 and data->>'eventId' = $2"
    assert await value(module_town.service.urls, told, "EVENT_DELETED", str(event_id)) == 3
    # It was never cancelled, so what it was before is not known: a draft, which its owner publishes again.
    assert (await admin.call("restoreEvent", id=event_id)).ok()["status"] == "DRAFT"
    assert (await people[Who.OWNER].client.call("publishEvent", id=event_id)).ok()["joinedCount"] == 3
    (await people[Who.OWNER].client.call("cancelEvent", id=event_id, reason="It rains")).ok()
    back = (await admin.call("restoreEvent", id=event_id)).ok()
    assert (back["status"], back["cancelledAt"], back["cancelReason"]) == ("PUBLISHED", None, None)
    await drain(module_town.service.urls)
    assert await value(module_town.service.urls, told, "EVENT_RESTORED", str(event_id)) == 6
    assert (await admin.call("restoreEvent", id=event_id)).ok()["version"] == back["version"]
    assert await value(module_town.service.urls, FACTS, "event.restored", event_id) == 2
    rows = "select outcome from audit_rows where verb = 'restoreEvent' and actor_id = $1 order by at"
    outcomes = [row[0] for row in await ask(module_town.service.urls, rows, people[Who.COMMUNITY_ADMIN].user_id)]
    assert outcomes[-3:] == ["done"] * 3


async def test_an_admin_acts_on_what_others_do_not_see(module_town: Town) -> None:
    people = await _people(module_town)
    admin, moderator = people[Who.COMMUNITY_ADMIN].client, people[Who.COMMUNITY_MODERATOR].client
    for event_id in (module_town.hidden_id, module_town.draft_id):
        changed = {"notes": "Seen by the community"}
        assert (await moderator.call("updateEvent", id=event_id, input=changed)).code == "EVENT_NOT_FOUND"
        assert (await admin.call("updateEvent", id=event_id, input=changed)).ok()["notes"] == "Seen by the community"
    elsewhere = module_town.people[Standing.OTHER_TENANT].client
    assert (await elsewhere.call("restoreEvent", id=module_town.event_id)).code in {"EVENT_NOT_FOUND", "FORBIDDEN"}


async def test_what_is_erased_with_its_owner_stays_so(module_town: Town) -> None:
    people = await _people(module_town)
    event_id = await _event(module_town, people)
    (await people[Who.COMMUNITY_ADMIN].client.call("deleteEvent", id=event_id)).ok()
    urls, owner_id = module_town.service.urls, people[Who.OWNER].user_id
    await change(urls, "update members set status = 'LEFT' where user_id = $1", owner_id)
    try:
        refused = await people[Who.COMMUNITY_ADMIN].client.call("restoreEvent", id=event_id)
        assert (refused.status, refused.code) == (409, "OWNER_GONE")
    finally:
        await change(urls, "update members set status = 'ACTIVE' where user_id = $1", owner_id)

"""The life of an event: every verb in every phase, and the races around its turns."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from muster.events.rules import LIFE, Deed, Phase, Ruling
from muster.events.tests.support import FACTS, SEATED, at_once, some_people, sound
from muster.testing.below import change, snapshot, value
from muster.testing.people import Person, Standing
from muster.testing.serving import Service
from muster.testing.town import Town, make_event

_INTO_THE_PAST = (
    "update events set starts_at = now() - interval '2 days', ends_at = now() - interval '1 day' where id = $1"
)
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
_STATUS = "select status from events where id = $1"
_CANCELLED_LONG_AGO = "update events set cancelled_at = now() - interval '30 days' where id = $1"

# What each verb answers in each phase: the code of the refusal, or None. A moderator is in the event besides its owner.
CODES: dict[str, dict[Phase, str | None]] = {
    verb: dict(zip(Phase, codes, strict=True))
    for verb, codes in {
        "updateEvent": (None, None, None, None, "EVENT_CANCELLED"),
        "publishEvent": (None, None, "ALREADY_PUBLISHED", "ALREADY_PUBLISHED", "EVENT_CANCELLED"),
        "schedulePublication": (None, None, "ALREADY_PUBLISHED", "ALREADY_PUBLISHED", "EVENT_CANCELLED"),
        "unpublishEvent": (None, None, None, "EVENT_OVER", "EVENT_CANCELLED"),
        "cancelEvent": ("NOT_PUBLISHED", "NOT_PUBLISHED", None, "EVENT_OVER", None),
        "deleteEvent": (None, None, "CANCEL_FIRST", "EVENT_OVER", "DELETED_TOO_SOON"),
        "joinEvent": ("EVENT_NOT_FOUND", "EVENT_NOT_FOUND", None, "JOIN_CLOSED", "JOIN_CLOSED"),
        "leaveEvent": (None, None, None, None, "EVENT_CANCELLED"),
        "kickMember": (None, None, None, None, "EVENT_CANCELLED"),
        "updateMemberRole": (None, None, None, None, "EVENT_CANCELLED"),
    }.items()
}
# The same of verbs that leave the event in its phase, one after the other on the same event.
AROUND: dict[str, dict[Phase, str | None]] = {
    verb: dict(zip(Phase, codes, strict=True))
    for verb, codes in {
        "inviteToEvent": ("NOT_PUBLISHED", "NOT_PUBLISHED", None, "EVENT_OVER", "EVENT_CANCELLED"),
        "announce": ("NOT_PUBLISHED", "NOT_PUBLISHED", None, None, "EVENT_CANCELLED"),
        "markAttendance": ("NOT_PUBLISHED", "NOT_PUBLISHED", None, None, "EVENT_CANCELLED"),
        "boostEvent": ("NOT_PUBLISHED", "NOT_PUBLISHED", "NO_BOOST_LEFT", "EVENT_OVER", "EVENT_CANCELLED"),
        "deleteEventMessage": (None, None, None, None, None),
        "offerEventOwnership": (None, None, None, None, "EVENT_CANCELLED"),
        "changeEventOwner": (None, None, None, None, None),
        "restoreEvent": (None, None, None, None, None),
    }.items()
}
TRIED = {
    Deed.UPDATE: "updateEvent",
    Deed.PUBLISH: "publishEvent",
    Deed.SCHEDULE: "schedulePublication",
    Deed.UNPUBLISH: "unpublishEvent",
    Deed.CANCEL: "cancelEvent",
    Deed.DELETE: "deleteEvent",
    Deed.LEAVE: "leaveEvent",
    Deed.KICK: "kickMember",
    Deed.CHANGE_ROLE: "updateMemberRole",
    Deed.INVITE: "inviteToEvent",
    Deed.ANNOUNCE: "announce",
    Deed.CHECK_IN: "markAttendance",
    Deed.ADVERTISE: "boostEvent",
    Deed.OFFER_OWNERSHIP: "offerEventOwnership",
    Deed.CHANGE_OWNER: "changeEventOwner",
    Deed.MODERATE_ROOM: "deleteEventMessage",
    Deed.RESTORE: "restoreEvent",
}
"""By which verb each deed is tried in each phase."""
REASONS = {Phase.OVER: "ENDED", Phase.CANCELLED: "CANCELED"}


async def _event_in(service: Service, phase: Phase, owner: Person, moderator: Person) -> UUID:
    event_id = await make_event(owner.client)
    (await moderator.client.call("joinEvent", eventId=event_id)).ok()
    made = await owner.client.call("updateMemberRole", eventId=event_id, userId=moderator.user_id, role="MODERATOR")
    assert made.ok()["role"] == "MODERATOR"
    if phase in (Phase.DRAFT, Phase.SCHEDULED):
        assert (await owner.client.call("unpublishEvent", id=event_id)).ok()["status"] == "DRAFT"
    if phase == Phase.SCHEDULED:
        assert (await owner.client.call("schedulePublication", id=event_id, publishAt=SOON)).ok()[
            "publishAt"
        ] == SOON.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if phase == Phase.OVER:
        await change(service.urls, _INTO_THE_PAST, event_id)
    if phase == Phase.CANCELLED:
        cancelled = (await owner.client.call("cancelEvent", id=event_id, reason="It rains")).ok()
        assert (cancelled["status"], cancelled["cancelReason"]) == ("CANCELLED", "It rains")
    return event_id


@pytest.mark.parametrize("phase", Phase)
async def test_every_verb_in_every_phase(service: Service, phase: Phase) -> None:
    owner, moderator, stranger = await some_people(service, 3)
    for verb, codes in CODES.items():
        event_id = await _event_in(service, phase, owner, moderator)
        about = {"eventId": event_id, "userId": moderator.user_id}
        calls: dict[str, tuple[Person, dict[str, Any]]] = {
            "updateEvent": (moderator, {"id": event_id, "input": {"title": "Another title"}}),
            "publishEvent": (moderator, {"id": event_id}),
            "schedulePublication": (moderator, {"id": event_id, "publishAt": SOON + timedelta(hours=1)}),
            "unpublishEvent": (moderator, {"id": event_id}),
            "cancelEvent": (moderator, {"id": event_id, "reason": "Another reason"}),
            "deleteEvent": (owner, {"id": event_id}),
            "joinEvent": (stranger, {"eventId": event_id}),
            "leaveEvent": (moderator, {"eventId": event_id}),
            "kickMember": (owner, about),
            "updateMemberRole": (owner, {**about, "role": "PARTICIPANT"}),
        }
        person, given = calls[verb]
        before = await snapshot(service.urls, without=["audit_rows"])
        answer = await person.client.call(verb, **given)
        after = await snapshot(service.urls, without=["audit_rows"])
        assert answer.code == codes[phase], (verb, answer)
        is_so_already = (verb, phase) in {("unpublishEvent", Phase.DRAFT), ("cancelEvent", Phase.CANCELLED)}
        assert (before == after) == (answer.code is not None or is_so_already), verb
        if answer.code == "JOIN_CLOSED":
            assert answer.problem["reason"] == REASONS[phase]
        await sound(service, event_id)


@pytest.mark.parametrize("phase", Phase)
async def test_every_verb_around_an_event_in_every_phase(service: Service, phase: Phase) -> None:
    owner, moderator, stranger, admin = await some_people(service, 4)
    await change(service.urls, "update members set role = 'admin' where user_id = $1", admin.user_id)
    event_id = await _event_in(service, phase, owner, moderator)
    said = (await moderator.client.call("sendEventMessage", eventId=event_id, content="Hello")).ok()
    about = {"eventId": event_id, "userId": moderator.user_id}
    calls: dict[str, tuple[Person, dict[str, Any]]] = {
        "inviteToEvent": (moderator, {"eventId": event_id, "userId": stranger.user_id}),
        "announce": (moderator, {"eventId": event_id, "content": "Bring a board"}),
        "markAttendance": (moderator, {**about, "attendance": "PRESENT"}),
        "boostEvent": (moderator, {"eventId": event_id}),
        "deleteEventMessage": (owner, {"eventId": event_id, "id": said["id"], "reason": "Not here"}),
        "offerEventOwnership": (owner, about),
        "changeEventOwner": (admin, {"id": event_id, "userId": moderator.user_id}),
        "restoreEvent": (admin, {"id": event_id}),
    }
    told = {verb: (await person.client.call(verb, **given)).code for verb, (person, given) in calls.items()}
    assert told == {verb: codes[phase] for verb, codes in AROUND.items()}
    status = "PUBLISHED" if phase in (Phase.OVER, Phase.CANCELLED) else phase
    assert await value(service.urls, _STATUS, event_id) == status
    await sound(service, event_id)


def test_every_deed_is_tried_in_every_phase_and_answers_as_the_table_says() -> None:
    assert {*TRIED} == {*Deed}
    refusals = {Ruling.NOT_PUBLISHED: "NOT_PUBLISHED", Ruling.PUBLISHED: "ALREADY_PUBLISHED"}
    refusals |= {Ruling.OVER: "EVENT_OVER", Ruling.CANCELLED: "EVENT_CANCELLED"}
    for deed, verb in TRIED.items():
        told = (CODES | AROUND)[verb]
        assert {*told} == {*Phase}
        for phase, ruling in LIFE.get(deed, {}).items():
            may_fail_of_itself = ruling in (Ruling.DO, Ruling.DONE) and told[phase] not in refusals.values()
            assert may_fail_of_itself or told[phase] == refusals[ruling], (deed, phase)


async def test_a_cancelled_event_is_seen_but_not_listed(town: Town) -> None:
    owner, outsider = town.client(Standing.OWNER), town.client(Standing.OUTSIDER)
    (await owner.call("cancelEvent", id=town.event_id)).ok()
    assert (await outsider.call("event", id=town.event_id)).ok()["status"] == "CANCELLED"
    listed = [each["id"] for each in (await outsider.call("events")).ok()["items"]]
    cancelled = [each["id"] for each in (await outsider.call("events", filter={"status": "CANCELLED"})).ok()["items"]]
    assert (str(town.event_id) in listed, cancelled) == (False, [str(town.event_id)])
    # Who was in it may still talk about it.
    said = await town.client(Standing.MEMBER).call("sendEventMessage", eventId=town.event_id, content="What a pity")
    assert said.code is None


async def test_a_deleted_event_is_gone_for_everybody(service: Service) -> None:
    owner, member = await some_people(service, 2)
    event_id = await make_event(owner.client)
    (await member.client.call("joinEvent", eventId=event_id)).ok()
    (await owner.client.call("cancelEvent", id=event_id)).ok()
    await change(service.urls, _CANCELLED_LONG_AGO, event_id)
    assert (await owner.client.call("deleteEvent", id=event_id)).ok()["status"] == "DELETED"
    for person in (owner, member):
        assert (await person.client.call("event", id=event_id)).missing
        assert (await person.client.call("myEvents")).ok()["items"] == []
        assert (await person.client.call("leaveEvent", eventId=event_id)).code == "EVENT_NOT_FOUND"
        said = await person.client.call("sendEventMessage", eventId=event_id, content="Is anybody here?")
        assert said.code == "EVENT_NOT_FOUND"
    assert (await owner.client.call("deleteEvent", id=event_id)).code == "EVENT_NOT_FOUND"


async def test_only_the_owner_deletes_and_gives_roles(town: Town) -> None:
    moderator, member = town.client(Standing.MODERATOR), town.people[Standing.MEMBER]
    promoted = await moderator.call("updateMemberRole", eventId=town.event_id, userId=member.user_id, role="MODERATOR")
    deleted = await moderator.call("deleteEvent", id=town.event_id)
    assert (promoted.code, deleted.code) == ("NOT_OWNER", "NOT_OWNER")


@pytest.mark.parametrize(
    ("who", "role", "code"),
    [
        (Standing.MEMBER, "OWNER", "VALIDATION_ERROR"),
        (Standing.OWNER, "PARTICIPANT", "OWNER_STAYS"),
        (Standing.OUTSIDER, "MODERATOR", "MEMBERSHIP_NOT_FOUND"),
        (None, "MODERATOR", "NOT_SEATED"),
    ],
)
async def test_roles_that_nobody_can_have(town: Town, who: Standing | None, role: str, code: str) -> None:
    person = town.waiting if who is None else town.people[who]
    answer = await town.client(Standing.OWNER).call(
        "updateMemberRole", eventId=town.event_id, userId=person.user_id, role=role
    )
    assert answer.code == code


async def test_a_moderator_who_leaves_comes_back_as_anybody_else(service: Service) -> None:
    owner, moderator = await some_people(service, 2)
    event_id = await _event_in(service, Phase.PUBLISHED, owner, moderator)
    (await moderator.client.call("leaveEvent", eventId=event_id)).ok()
    assert (await moderator.client.call("cancelEvent", id=event_id)).code == "NOT_ORGANISER"
    assert (await moderator.client.call("joinEvent", eventId=event_id)).ok()["role"] == "PARTICIPANT"


async def test_nobody_joins_while_an_event_is_cancelled(service: Service) -> None:
    owner, *people = await some_people(service, 11)
    event_id = await make_event(owner.client, max=4)
    joins = [each.client.call("joinEvent", eventId=event_id) for each in people]
    *answers, cancelled = await at_once(*joins[:5], *joins[5:], owner.client.call("cancelEvent", id=event_id))
    cancelled.ok()
    assert {answer.code for answer in answers} <= {None, "JOIN_CLOSED"}
    joined = sum(answer.code is None for answer in answers)
    inside = "select count(*) from event_members where event_id = $1 and role <> 'OWNER'"
    assert await value(service.urls, inside, event_id) == joined
    assert await value(service.urls, FACTS, "event.cancelled", event_id) == 1
    late = await people[-1].client.call("leaveEvent", eventId=event_id)
    assert late.code in {"EVENT_CANCELLED", "MEMBERSHIP_NOT_FOUND"}
    await sound(service, event_id)


async def test_an_event_is_unpublished_or_joined_but_not_both(service: Service) -> None:
    owner, *people = await some_people(service, 5)
    for _ in range(4):
        event_id = await make_event(owner.client)
        unpublished, *joined = await at_once(
            owner.client.call("unpublishEvent", id=event_id),
            *(each.client.call("joinEvent", eventId=event_id) for each in people),
        )
        status, seated = await value(service.urls, _STATUS, event_id), await value(service.urls, SEATED, event_id)
        if unpublished.code is None:
            assert (status, seated) == ("DRAFT", 1)
            assert {each.code for each in joined} == {"EVENT_NOT_FOUND"}
        else:
            assert (unpublished.code, status) == ("HAS_MEMBERS", "PUBLISHED")
            assert {each.code for each in joined} == {None}


async def test_an_event_is_deleted_or_joined_but_not_both(service: Service) -> None:
    owner, *people = await some_people(service, 5)
    for _ in range(4):
        event_id = await make_event(owner.client)
        deleted, *joined = await at_once(
            owner.client.call("deleteEvent", id=event_id),
            *(each.client.call("joinEvent", eventId=event_id) for each in people),
        )
        expected = {"EVENT_NOT_FOUND"} if deleted.code is None else {None}
        assert deleted.code in {None, "CANCEL_FIRST"}
        assert {each.code for each in joined} == expected

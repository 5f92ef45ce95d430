"""Invitations by person: what each leads to, who is told, and the races that the event's lock decides."""

from typing import Any
from uuid import UUID

import pytest

from muster.events.tests.support import at_once, some_people, sound
from muster.testing.below import ask, change, value
from muster.testing.client import Answer, Way
from muster.testing.people import Person
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import drain

_CHANGES = "select deed, status from event_member_changes where event_id = $1 and user_id = $2 order by at, id"
_TOLD = "select kind from notifications where user_id = $1 and kind like 'EVENT_INVITE%' order by created_at, id"
_MAILS = "select count(*) from mails where kind = 'events.invited' and user_id = $1"
_AN_HOUR_AGO = "update event_invitations set sent_at = sent_at - interval '61 minutes'"


async def _invite(by: Person, event_id: UUID, whom: Person, *, way: Way = Way.REST) -> Answer:
    return await by.client.call("inviteToEvent", way=way, eventId=event_id, userId=whom.user_id)


async def _invited(by: Person, event_id: UUID, whom: Person) -> dict[str, Any]:
    made: dict[str, Any] = (await _invite(by, event_id, whom)).ok()
    return made


async def _history(service: Service, event_id: UUID, person: Person) -> list[tuple[str, str]]:
    return [(row[0], row[1]) for row in await ask(service.urls, _CHANGES, event_id, person.user_id)]


async def _told(service: Service, person: Person) -> list[str]:
    return [row[0] for row in await ask(service.urls, _TOLD, person.user_id)]


@pytest.mark.parametrize("way", Way)
async def test_who_is_invited_sees_a_hidden_event_and_comes(service: Service, way: Way) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client, visibility="HIDDEN", joinMode="INVITE_ONLY")
    assert (await guest.client.call("event", way=way, id=event_id)).missing
    made = await _invite(owner, event_id, guest, way=way)
    assert (made.ok()["status"], made.ok()["email"], made.ok()["user"]["id"]) == ("PENDING", None, str(guest.user_id))
    assert (await guest.client.call("event", way=way, id=event_id)).ok()["id"] == str(event_id)
    await drain(service.urls)
    come: dict[str, Any] = {"eventId": event_id, "guests": [{"name": "Ada"}]}
    joined = (await guest.client.call("acceptEventInvitation", way=way, **come)).ok()
    assert (joined["status"], joined["partySize"]) == ("JOINED", 2)
    assert (await guest.client.call("acceptEventInvitation", way=way, **come)).ok()["status"] == "JOINED"
    (row,) = (await owner.client.call("eventInvitations", way=way, eventId=event_id)).ok()["items"]
    assert (row["status"], row["madeBy"]["id"]) == ("ACCEPTED", str(owner.user_id))
    assert await _history(service, event_id, guest) == [("INVITE", "INVITED"), ("ACCEPT", "JOINED")]
    assert (await _invite(owner, event_id, guest, way=way)).code == "IN_EVENT_ALREADY"
    await sound(service, event_id)
    await drain(service.urls)
    assert await _told(service, guest) == ["EVENT_INVITE"]
    assert await _told(service, owner) == ["EVENT_INVITE_ACCEPTED"]
    assert await value(service.urls, _MAILS, guest.user_id) == 1


async def test_who_declines_may_be_invited_again_and_frees_nothing(service: Service) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client, joinMode="INVITE_ONLY")
    await _invited(owner, event_id, guest)
    await drain(service.urls)
    for _ in range(2):
        declined = (await guest.client.call("declineEventInvitation", eventId=event_id)).ok()
        assert declined["status"] == "CANCELLED"
    assert (await guest.client.call("acceptEventInvitation", eventId=event_id)).code == "EVENT_INVITATION_NOT_FOUND"
    await _invited(owner, event_id, guest)
    (await guest.client.call("joinEvent", eventId=event_id)).ok()
    # A second click on what was meant for the invitation does not cost the place.
    assert (await guest.client.call("declineEventInvitation", eventId=event_id)).code == "EVENT_INVITATION_NOT_FOUND"
    expected = [("INVITE", "INVITED"), ("DECLINE", "CANCELLED"), ("INVITE", "INVITED"), ("ACCEPT", "JOINED")]
    assert await _history(service, event_id, guest) == expected
    await sound(service, event_id)
    await drain(service.urls)
    assert await _told(service, owner) == ["EVENT_INVITE_DECLINED", "EVENT_INVITE_ACCEPTED"]
    # Invited twice within the hour, they were told once.
    assert await _told(service, guest) == ["EVENT_INVITE"]


@pytest.mark.parametrize("kept_out", ["KICKED", "REJECTED"])
async def test_an_invitation_brings_back_and_taking_it_back_keeps_out_again(service: Service, kept_out: str) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client, joinMode="REQUEST")
    about: dict[str, Any] = {"eventId": event_id, "userId": guest.user_id}
    (await guest.client.call("joinEvent", eventId=event_id)).ok()
    if kept_out == "REJECTED":
        (await owner.client.call("rejectEventRequest", **about)).ok()
    else:
        (await owner.client.call("approveEventRequest", **about)).ok()
        (await owner.client.call("kickMember", **about)).ok()
    assert (await guest.client.call("joinEvent", eventId=event_id)).code == f"WAS_{kept_out}"
    made = await _invited(owner, event_id, guest)
    for _ in range(2):
        back = (await owner.client.call("revokeEventInvitation", eventId=event_id, id=made["id"])).ok()
        assert back["status"] == "REVOKED"
    # The next time they would have been free to join by themselves.
    assert (await guest.client.call("joinEvent", eventId=event_id)).code == f"WAS_{kept_out}"
    assert (await _history(service, event_id, guest))[-1] == ("UNINVITE", kept_out)
    await _invited(owner, event_id, guest)
    assert (await guest.client.call("acceptEventInvitation", eventId=event_id)).ok()["status"] == "JOINED"
    over = await owner.client.call("revokeEventInvitation", eventId=event_id, id=made["id"])
    assert over.code == "EVENT_INVITATION_OVER"


async def test_whom_nobody_invites(service: Service) -> None:
    owner, banned, blocked, blocking, guest = await some_people(service, 5)
    event_id = await make_event(owner.client)
    (await owner.client.call("banMember", eventId=event_id, userId=banned.user_id)).ok()
    assert (await _invite(owner, event_id, banned)).code == "PERSON_IS_BANNED"
    (await owner.client.call("blockUser", userId=blocked.user_id)).ok()
    (await blocking.client.call("blockUser", userId=owner.user_id)).ok()
    nobody = await owner.client.call("inviteToEvent", eventId=event_id, userId=event_id)
    for person in (blocked, blocking):
        answer = await _invite(owner, event_id, person)
        assert (answer.status, answer.code, answer.problem["detail"]) == (404, nobody.code, nobody.problem["detail"])
    assert (await _invite(owner, event_id, owner)).code == "VALIDATION_ERROR"
    assert (await _invite(guest, event_id, banned)).code == "NOT_ORGANISER"
    draft_id = await make_event(owner.client, publish=False)
    assert (await _invite(owner, draft_id, guest)).code == "NOT_PUBLISHED"
    assert (await _invite(guest, draft_id, owner)).code == "EVENT_NOT_FOUND"
    both = await owner.client.call("inviteToEvent", eventId=event_id, userId=guest.user_id, email="a@example.org")
    assert (both.code, both.problem["errors"][0]["path"]) == ("VALIDATION_ERROR", "userId")
    assert (await owner.client.call("inviteToEvent", eventId=event_id)).code == "VALIDATION_ERROR"
    assert await value(service.urls, "select count(*) from event_invitations") == 0


async def test_whom_the_owner_blocks_a_moderator_invites_in_vain_and_does_not_learn_why(service: Service) -> None:
    owner, moderator, blocked = await some_people(service, 3)
    event_id = await make_event(owner.client, joinMode="INVITE_ONLY")
    (await owner.client.call("blockUser", userId=blocked.user_id)).ok()
    await _invited(owner, event_id, moderator)
    (await moderator.client.call("acceptEventInvitation", eventId=event_id)).ok()
    role: dict[str, Any] = {"userId": moderator.user_id, "role": "MODERATOR"}
    (await owner.client.call("updateMemberRole", eventId=event_id, **role)).ok()
    assert (await _invited(moderator, event_id, blocked))["status"] == "PENDING"
    shut = await blocked.client.call("acceptEventInvitation", eventId=event_id)
    assert (shut.code, shut.problem["reason"]) == ("JOIN_CLOSED", "MANUAL")
    await drain(service.urls)
    assert await _told(service, blocked) == []
    assert await value(service.urls, _MAILS, blocked.user_id) == 0


async def test_an_invitation_shows_no_draft_and_opens_no_shut_door(service: Service) -> None:
    owner, guest, other = await some_people(service, 3)
    event_id = await make_event(owner.client, visibility="HIDDEN")
    made = await _invited(owner, event_id, guest)
    (await owner.client.call("closeEventJoin", id=event_id)).ok()
    assert (await guest.client.call("acceptEventInvitation", eventId=event_id)).code == "JOIN_CLOSED"
    (await owner.client.call("unpublishEvent", id=event_id)).ok()
    assert (await guest.client.call("event", id=event_id)).missing
    assert (await guest.client.call("acceptEventInvitation", eventId=event_id)).code == "JOIN_CLOSED"
    # Of other events nobody takes anything back, and what others are invited to is nobody's business.
    elsewhere = await make_event(other.client)
    wrong = await other.client.call("revokeEventInvitation", eventId=elsewhere, id=made["id"])
    assert wrong.code == "EVENT_INVITATION_NOT_FOUND"
    assert (await other.client.call("eventInvitations", eventId=event_id)).missing
    await drain(service.urls)
    assert await value(service.urls, "select state from mails where kind = 'events.invited'") != "SENT"


async def test_inviting_again_tells_again_once_an_hour(service: Service) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client)
    first = await _invite(owner, event_id, guest)
    again = await _invite(owner, event_id, guest)
    assert (first.status, again.status, again.ok()["sentAt"]) == (201, 200, first.ok()["sentAt"])
    await change(service.urls, _AN_HOUR_AGO)
    assert (await _invite(owner, event_id, guest)).ok()["id"] == first.ok()["id"]
    await drain(service.urls)
    assert await _told(service, guest) == ["EVENT_INVITE"] * 2
    assert await _history(service, event_id, guest) == [("INVITE", "INVITED")]


async def test_an_event_tells_a_hundred_invitations_an_hour(service: Service) -> None:
    owner, guest = await some_people(service, 2)
    event_id = await make_event(owner.client)
    await change(
        service.urls,
        "insert into event_invitations (tenant_id, id, event_id, email, status, made_by_id, sent_at, expires_at) "
        "select tenant_id, gen_random_uuid(), id, n || '@example.org', 'PENDING', owner_id, "
        "now() - interval '30 minutes', now() + interval '1 day' from events, generate_series(1, 100) as n where id = $1",
        event_id,
    )
    refused = await _invite(owner, event_id, guest)
    assert (refused.status, refused.problem["bucket"]) == (429, "event.invitations")
    assert 1700 < refused.problem["retryAfter"] <= 1800
    assert await _history(service, event_id, guest) == []
    await change(service.urls, _AN_HOUR_AGO)
    await _invited(owner, event_id, guest)


async def test_of_many_who_answer_and_take_back_at_once_each_has_one_end(service: Service) -> None:
    owner, *guests = await some_people(service, 9)
    event_id = await make_event(owner.client, joinMode="INVITE_ONLY", max=4)
    made = [await _invited(owner, event_id, each) for each in guests]
    calls = []
    for guest, invitation in zip(guests, made, strict=True):
        calls.append(guest.client.call("acceptEventInvitation", eventId=event_id))
        calls.append(guest.client.call("acceptEventInvitation", eventId=event_id))
        calls.append(owner.client.call("revokeEventInvitation", eventId=event_id, id=invitation["id"]))
    answers = await at_once(*calls)
    allowed = {None, "EVENT_INVITATION_NOT_FOUND", "EVENT_INVITATION_OVER"}
    assert {each.code for each in answers} <= allowed
    rows = await ask(
        service.urls,
        "select i.status, m.status from event_invitations i join event_members m using (tenant_id, event_id, user_id)",
    )
    assert {(row[0], row[1]) for row in rows} <= {
        ("ACCEPTED", "JOINED"),
        ("ACCEPTED", "WAITLIST"),
        ("REVOKED", "CANCELLED"),
    }
    await sound(service, event_id)


async def test_who_is_invited_while_they_go_is_one_of_both(service: Service) -> None:
    owner, *guests = await some_people(service, 7)
    event_id = await make_event(owner.client, max=9)
    for guest in guests:
        (await guest.client.call("joinEvent", eventId=event_id)).ok()
    calls = [guest.client.call("leaveEvent", eventId=event_id) for guest in guests]
    answers = await at_once(*calls, *(_invite(owner, event_id, guest) for guest in guests))
    assert {each.code for each in answers} <= {None, "IN_EVENT_ALREADY"}
    rows = await ask(service.urls, "select status from event_members where event_id = $1 and role <> 'OWNER'", event_id)
    invited = await value(service.urls, "select count(*) from event_invitations where status = 'PENDING'")
    assert {row[0] for row in rows} <= {"LEFT", "INVITED"}
    assert [row[0] for row in rows].count("INVITED") == invited
    await sound(service, event_id)

"""Requests, bans and closing by hand against the database, with the races they guard run for real."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from muster.events.rules import MEMBERSHIPS, MemberDeed, Outcome, Step
from muster.events.tables import EventMemberStatus
from muster.events.tests.support import QUEUE, at_once, some_people, sound
from muster.testing.below import ask, maintenance, value
from muster.testing.client import Way
from muster.testing.people import Person, Standing, founder_of, sign_in
from muster.testing.serving import Service
from muster.testing.town import Town, make_event
from muster.testing.work import working

VERBS = {
    MemberDeed.JOIN: "joinEvent",
    MemberDeed.LEAVE: "leaveEvent",
    MemberDeed.APPROVE: "approveEventRequest",
    MemberDeed.REJECT: "rejectEventRequest",
    MemberDeed.KICK: "kickMember",
    MemberDeed.BAN: "banMember",
    MemberDeed.UNBAN: "unbanMember",
    MemberDeed.CHANGE_ROLE: "updateMemberRole",
}
OWN = (MemberDeed.JOIN, MemberDeed.LEAVE)
CODES = {
    Step.NOBODY: "MEMBERSHIP_NOT_FOUND",
    Step.OUT: "NOT_IN_EVENT",
    Step.AGAIN: "WAS_REJECTED",
    Step.KICKED: "WAS_KICKED",
    Step.BANNED: "BANNED",
    Step.NOT_ASKED: "NOT_ASKED",
    Step.NOT_BANNED: "NOT_BANNED",
}
_CHANGES = "select deed, status from event_member_changes where event_id = $1 and user_id = $2"
_AS_IT_IS = """
with gone as (delete from event_member_changes where event_id = $1 and user_id = $2),
     seat as (delete from room_seats where room_id = $1 and user_id = $2),
     counted as (update events set joined_count = 1 + coalesce($3 = 'JOINED', false)::int where id = $1)
select tenant_id from events where id = $1
"""
_STANDING = """
insert into event_members (tenant_id, id, event_id, user_id, role, status, asked_at, queue_number, asked_number)
values ($1, gen_random_uuid(), $2, $3, 'PARTICIPANT', $4, now(), case when $4 = 'WAITLIST' then 7 end, 7)
"""


async def _put(connection: asyncpg.Connection, event_id: UUID, user_id: UUID, standing: str | None) -> None:
    """Make somebody what they are to an event, as if they had never been anything else."""
    tenant_id = await connection.fetchval(_AS_IT_IS, event_id, user_id, standing)
    await connection.execute("delete from event_members where event_id = $1 and user_id = $2", event_id, user_id)
    if standing is not None:
        await connection.execute(_STANDING, tenant_id, event_id, user_id, standing)


def _leads_to(standing: EventMemberStatus | None, outcome: Outcome) -> EventMemberStatus | None:
    """What somebody is afterwards, in an open event with room; None for a refusal."""
    if isinstance(outcome, EventMemberStatus):
        return outcome
    return {Step.STAY: standing, Step.ENTER: EventMemberStatus.JOINED}.get(outcome)


async def test_every_deed_for_every_standing(service: Service) -> None:
    owner, person = await some_people(service, 2)
    event_id = await make_event(owner.client, max=9)
    pairs = [(deed, *each) for deed in VERBS for each in MEMBERSHIPS[deed].items()]
    async with maintenance(service.urls) as connection:
        for deed, standing, outcome in pairs:
            await _put(connection, event_id, person.user_id, standing)
            caller = person if deed in OWN else owner
            about: dict[str, Any] = {} if deed in OWN else {"userId": person.user_id}
            about |= {"role": "MODERATOR"} if deed == MemberDeed.CHANGE_ROLE else {}
            answer = await caller.client.call(VERBS[deed], eventId=event_id, **about)
            changes = [tuple(row) for row in await connection.fetch(_CHANGES, event_id, person.user_id)]
            told = (deed, standing, outcome, answer)
            expected = _leads_to(standing, outcome)
            # Who is invited and joins has accepted.
            noted = MemberDeed.ACCEPT if (deed, standing) == (MemberDeed.JOIN, EventMemberStatus.INVITED) else deed
            if expected is not None:
                assert answer.ok()["status"] == expected, told
                assert changes == ([] if outcome == Step.STAY else [(noted, expected)]), told
            else:
                code = "NOT_SEATED" if (deed, outcome) == (MemberDeed.CHANGE_ROLE, Step.OUT) else CODES[Step(outcome)]
                assert answer.code == code, told
                assert changes == [], told


async def _asked(service: Service, number: int, **changes: Any) -> tuple[Person, UUID, list[Person]]:
    """An event where the organisers decide, its owner, and so many who asked, in their order."""
    owner, *people = await some_people(service, number + 1)
    event_id = await make_event(owner.client, joinMode="REQUEST", **changes)
    for person in people:
        assert (await person.client.call("joinEvent", eventId=event_id)).ok()["status"] == "PENDING"
    return owner, event_id, people


@pytest.mark.parametrize("way", Way)
async def test_who_asks_is_let_in_or_not(service: Service, way: Way) -> None:
    owner, event_id, (first, second, third) = await _asked(service, 3, max=5)
    page: dict[str, Any] = {"eventId": event_id, "filter": {"status": "PENDING"}}
    waiting = (await owner.client.call("eventMembers", way=way, **page)).ok()["items"]
    assert [each["user"]["id"] for each in waiting] == [str(each.user_id) for each in (first, second, third)]
    assert (await first.client.call("eventMembers", way=way, **page)).ok()["items"][1:] == []
    to: dict[str, Any] = {"eventId": event_id, "userId": first.user_id}
    assert (await owner.client.call("approveEventRequest", way=way, **to)).ok()["status"] == "JOINED"
    assert (await owner.client.call("approveEventRequest", way=way, **to)).ok()["status"] == "JOINED"
    no: dict[str, Any] = {"eventId": event_id, "userId": second.user_id, "reason": "You do not play"}
    rejected = (await owner.client.call("rejectEventRequest", way=way, **no)).ok()
    assert (rejected["status"], rejected["rejectReason"]) == ("REJECTED", "You do not play")
    mine = (await second.client.call("myEventMemberships", way=way, filter={"status": "REJECTED"})).ok()["items"]
    assert [each["rejectReason"] for each in mine] == ["You do not play"]
    of_second = {"userId": second.user_id, "filter": {"status": "REJECTED"}}
    assert (await owner.client.call("userEventMemberships", way=way, **of_second)).code == "FORBIDDEN"
    tenant_id = await value(service.urls, "select tenant_id from events where id = $1", event_id)
    managing = await founder_of(service, tenant_id)
    managed = (await managing.client.call("userEventMemberships", way=way, **of_second)).ok()["items"]
    assert [each["id"] for each in managed] == [each["id"] for each in mine]
    hidden = await make_event(owner.client, visibility="HIDDEN")
    everything = (await managing.client.call("managedEvents", way=way, filter={"ownerId": owner.user_id})).ok()["items"]
    assert {str(hidden), str(event_id)} <= {each["id"] for each in everything}
    assert (await owner.client.call("managedEvents", way=way)).code == "FORBIDDEN"
    assert (await second.client.call("joinEvent", way=way, eventId=event_id)).code == "WAS_REJECTED"
    (await owner.client.call("updateEvent", id=event_id, input={"mayAskAgain": True})).ok()
    assert (await second.client.call("joinEvent", way=way, eventId=event_id)).ok()["status"] == "PENDING"
    taken_back = (await third.client.call("leaveEvent", way=way, eventId=event_id)).ok()
    assert taken_back["status"] == "CANCELLED"
    about: dict[str, Any] = {"eventId": event_id, "userId": third.user_id}
    assert (await owner.client.call("approveEventRequest", way=way, **about)).code == "NOT_ASKED"
    assert (await first.client.call("rejectEventRequest", way=way, **about)).code == "NOT_ORGANISER"
    stats = (await owner.client.call("eventMemberStats", way=way, id=event_id)).ok()
    assert {name: stats[name] for name in ("joined", "pending", "cancelled", "rejected", "waitlist")} == {
        "joined": 2,
        "pending": 1,
        "cancelled": 1,
        "rejected": 0,
        "waitlist": 0,
    }
    seen = (await first.client.call("eventMemberStats", way=way, id=event_id)).ok()
    assert (seen["joined"], seen["pending"]) == (2, None)
    await sound(service, event_id)


async def test_who_asked_first_waits_first_whichever_way_the_others_came(service: Service) -> None:
    owner, event_id, (early, late, filler) = await _asked(service, 3, max=2)
    (await owner.client.call("approveEventRequest", eventId=event_id, userId=filler.user_id)).ok()
    (await owner.client.call("updateEvent", id=event_id, input={"joinMode": "OPEN"})).ok()
    stranger = await sign_in(service, "a stranger")
    assert (await stranger.client.call("joinEvent", eventId=event_id)).ok()["waitlistPosition"] == 1
    # They asked before the stranger came, so they wait before them, in the order of asking and not of approval.
    for person, position in ((late, 1), (early, 1)):
        waits = (await owner.client.call("approveEventRequest", eventId=event_id, userId=person.user_id)).ok()
        assert (waits["status"], waits["waitlistPosition"]) == ("WAITLIST", position)
    order = [row[0] for row in await ask(service.urls, QUEUE, event_id)]
    assert order == [str(each.user_id) for each in (early, late, stranger)]
    (await filler.client.call("leaveEvent", eventId=event_id)).ok()
    assert (await early.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    await sound(service, event_id)


async def test_the_history_of_a_membership_is_for_the_organisers(service: Service) -> None:
    owner, event_id, (person,) = await _asked(service, 1, max=5)
    about: dict[str, Any] = {"eventId": event_id, "userId": person.user_id}
    (await owner.client.call("approveEventRequest", **about)).ok()
    (await owner.client.call("banMember", **about, note="Shouted")).ok()
    (await owner.client.call("unbanMember", **about)).ok()
    found = (await owner.client.call("eventMemberChanges", **about)).ok()["items"]
    told = [(each["deed"], each["status"], each["note"], each["actor"]["id"]) for each in found]
    by, own = str(owner.user_id), str(person.user_id)
    assert told == [
        ("JOIN", "PENDING", None, own),
        ("APPROVE", "JOINED", None, by),
        ("BAN", "BANNED", "Shouted", by),
        ("UNBAN", "REJECTED", None, by),
    ]
    assert (await person.client.call("eventMemberChanges", **about)).ok()["items"] == []
    noted = (await owner.client.call("noteOnMember", **about, note="Is sorry")).ok()
    assert noted["note"] == "Is sorry"
    assert (await person.client.call("myMembershipForEvent", eventId=event_id)).ok()["note"] is None


async def test_the_banned_stay_out_and_their_place_goes_on(service: Service) -> None:
    owner, seated, waiting, stranger = await some_people(service, 4)
    event_id = await make_event(owner.client, max=2)
    for person in (seated, waiting):
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    for person in (seated, stranger):
        banned = (await owner.client.call("banMember", eventId=event_id, userId=person.user_id)).ok()
        assert banned["status"] == "BANNED"
        assert (await person.client.call("joinEvent", eventId=event_id)).code == "BANNED"
        shown = (await person.client.call("event", id=event_id)).ok()
        assert (shown["canJoin"], shown["lockReason"]) == (False, "FULL")
    assert (await waiting.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    assert (await waiting.client.call("banMember", eventId=event_id, userId=owner.user_id)).code == "NOT_ORGANISER"
    assert (await owner.client.call("banMember", eventId=event_id, userId=owner.user_id)).code == "OWNER_STAYS"
    await sound(service, event_id)


async def test_closed_by_hand_nobody_gets_in_and_opening_again_seats_who_wait(service: Service) -> None:
    owner, first, second, stranger = await some_people(service, 4)
    event_id = await make_event(owner.client, max=2)
    for person in (first, second):
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    closed = (await owner.client.call("closeEventJoin", id=event_id, reason="The hall is small")).ok()
    assert (closed["joinCloseReason"], closed["lockReason"]) == ("The hall is small", "FULL")
    (await owner.client.call("updateEvent", id=event_id, input={"max": 4})).ok()
    (await first.client.call("leaveEvent", eventId=event_id)).ok()
    waits = (await second.client.call("myMembershipForEvent", eventId=event_id)).ok()
    assert waits["status"] == "WAITLIST"
    refused = await stranger.client.call("joinEvent", eventId=event_id)
    assert (refused.code, refused.problem["reason"]) == ("JOIN_CLOSED", "MANUAL")
    opened = (await owner.client.call("reopenEventJoin", id=event_id)).ok()
    assert (opened["joinClosedAt"], opened["joinCloseReason"], opened["joinedCount"]) == (None, None, 2)
    assert (await second.client.call("myMembershipForEvent", eventId=event_id)).ok()["status"] == "JOINED"
    assert (await stranger.client.call("closeEventJoin", id=event_id)).code == "NOT_ORGANISER"
    await sound(service, event_id)


async def test_whom_the_owner_blocked_cannot_tell_it_from_an_event_closed_by_hand(service: Service) -> None:
    owner, foe = await some_people(service, 2)
    mine, closed = await make_event(owner.client), await make_event(owner.client)
    (await owner.client.call("closeEventJoin", id=closed)).ok()
    (await owner.client.call("blockUser", userId=foe.user_id)).ok()
    answers = [await foe.client.call("joinEvent", eventId=each) for each in (mine, closed)]
    assert answers[0].code == "JOIN_CLOSED"
    first, second = ({**answer.problem, "instance": None} for answer in answers)
    assert first == second
    shown = [(await foe.client.call("event", id=each)).ok() for each in (mine, closed)]
    assert [(each["lockReason"], each["canJoin"]) for each in shown] == [("MANUAL", False)] * 2


async def test_ten_approved_at_once_for_three_places(service: Service) -> None:
    owner, event_id, people = await _asked(service, 10, max=4)
    calls = [
        owner.client.call("approveEventRequest", eventId=event_id, userId=each.user_id) for each in people for _ in "ab"
    ]
    statuses = [answer.ok()["status"] for answer in await at_once(*calls)]
    assert {*statuses} == {"JOINED", "WAITLIST"}
    standing = "select status, count(*) from event_members where event_id = $1 group by 1 order by 1"
    assert await ask(service.urls, standing, event_id) == [("JOINED", 4), ("WAITLIST", 7)]
    # Who waits does so in the order of asking, however the approvals raced.
    asked = [str(each.user_id) for each in people]
    queue = [row[0] for row in await ask(service.urls, QUEUE, event_id)]
    assert queue == [each for each in asked if each in queue]
    await sound(service, event_id)


def _pairs(person: Person, owner: Person, event_id: UUID) -> Iterator[tuple[Any, Any]]:
    about: dict[str, Any] = {"eventId": event_id, "userId": person.user_id}
    for verb in ("approveEventRequest", "rejectEventRequest"):
        yield owner.client.call(verb, **about), person.client.call("leaveEvent", eventId=event_id)
    yield owner.client.call("approveEventRequest", **about), owner.client.call("rejectEventRequest", **about)
    yield owner.client.call("banMember", **about), person.client.call("joinEvent", eventId=event_id)
    yield owner.client.call("banMember", **about), owner.client.call("approveEventRequest", **about)


async def test_two_who_decide_at_once_decide_one_after_the_other(service: Service) -> None:
    owner, event_id, people = await _asked(service, 1, max=5)
    (person,) = people
    async with maintenance(service.urls) as connection:
        for first, second in _pairs(person, owner, event_id):
            await _put(connection, event_id, person.user_id, "PENDING")
            await at_once(first, second)
            changes = [
                tuple(row) for row in await connection.fetch(_CHANGES + " order by id", event_id, person.user_id)
            ]
            status = await value(
                service.urls,
                "select status from event_members where event_id = $1 and user_id = $2",
                event_id,
                person.user_id,
            )
            # Each saw what the other had done: every change was allowed from the one before.
            standing: EventMemberStatus | None = EventMemberStatus.PENDING
            for deed, now_is in changes:
                outcome = MEMBERSHIPS[MemberDeed(deed)][standing]
                assert outcome in (now_is, Step.ENTER), changes
                standing = EventMemberStatus(now_is)
            assert standing == status
            await sound(service, event_id)


async def test_a_banned_person_never_sits_however_they_race(service: Service) -> None:
    owner, *people = await some_people(service, 9)
    event_id = await make_event(owner.client, max=20)
    joins = [each.client.call("joinEvent", eventId=event_id) for each in people]
    bans = [owner.client.call("banMember", eventId=event_id, userId=each.user_id) for each in people]
    await at_once(*(call for pair in zip(joins, bans, strict=True) for call in pair))
    standing = "select distinct status from event_members where event_id = $1 and role = 'PARTICIPANT'"
    assert await ask(service.urls, standing, event_id) == [("BANNED",)]
    await sound(service, event_id)


async def test_who_asks_and_who_decides_are_told(town: Town) -> None:
    owner, outsider = town.people[Standing.OWNER], town.people[Standing.OUTSIDER]
    moderator = town.people[Standing.MODERATOR]
    (await owner.client.call("updateEvent", id=town.event_id, input={"joinMode": "REQUEST", "mayAskAgain": True})).ok()
    about: dict[str, Any] = {"eventId": town.event_id, "userId": outsider.user_id}
    told = "select user_id, kind from notifications where kind = any($1) order by created_at, kind, user_id"
    kinds = [
        *("JOIN_REQUEST", "EVENT_MEMBERSHIP_APPROVED", "EVENT_MEMBERSHIP_REJECTED", "BANNED", "UNBANNED"),
    ]
    async with working(town.service.urls) as work:
        (await outsider.client.call("joinEvent", eventId=town.event_id)).ok()
        await work.pass_to(datetime.now(UTC))
        organisers = sorted([owner.user_id, moderator.user_id])
        assert await ask(town.service.urls, told, kinds) == [(each, "JOIN_REQUEST") for each in organisers]
        for verb, kind in (
            ("rejectEventRequest", "EVENT_MEMBERSHIP_REJECTED"),
            ("banMember", "BANNED"),
            ("unbanMember", "UNBANNED"),
            ("approveEventRequest", "EVENT_MEMBERSHIP_APPROVED"),
        ):
            if verb == "approveEventRequest":
                (await outsider.client.call("joinEvent", eventId=town.event_id)).ok()
            (await owner.client.call(verb, **about)).ok()
            await work.pass_to(datetime.now(UTC))
            assert (outsider.user_id, kind) in await ask(town.service.urls, told, kinds)

"""The door: tickets and their keys, scans, marks, and people who check themselves in."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest

from muster.events.checkin.rules import is_time_to_come, metres_between
from muster.events.checkin.tickets import Ticket, ticket_keys
from muster.events.tests.support import FACTS, at_once
from muster.identity.commands import token_keys
from muster.kit.ids import new_id
from muster.testing.below import change, value
from muster.testing.client import Answer
from muster.testing.people import Person, Standing
from muster.testing.town import Town


async def _ticket(town: Town, standing: Standing) -> dict[str, Any]:
    answer: dict[str, Any] = (await town.people[standing].client.call("eventTicket", eventId=town.event_id)).ok()
    return answer


async def _scan(town: Town, ticket: str, by: Standing = Standing.MODERATOR, **more: Any) -> Answer:
    return await town.people[by].client.call("checkIn", eventId=town.event_id, ticket=ticket, **more)


async def _begin(town: Town, *, in_: timedelta = timedelta(hours=1), **columns: object) -> None:
    """Move the event's start near, and set columns of it."""
    more = "".join(f", {name} = {value}" for name, value in columns.items())
    moved = f"update events set starts_at = now() + $2, ends_at = now() + $2 + interval '2 hours'{more} where id = $1"  # noqa: S608 - our own names
    await change(town.service.urls, moved, town.event_id, in_)


async def test_a_ticket_is_scanned_and_a_copy_of_it_is_seen(town: Town) -> None:
    ticket = (await _ticket(town, Standing.MEMBER))["ticket"]
    first = (await _scan(town, ticket)).ok()
    assert (first["attendance"], first["arrivedBy"], first["scans"]) == ("PRESENT", "SCAN", 1)
    assert first["user"]["id"] == str(town.people[Standing.MEMBER].user_id)
    again = (await _scan(town, ticket, Standing.OWNER)).ok()
    assert (again["scans"], again["arrivedAt"]) == (2, first["arrivedAt"])
    assert await value(town.service.urls, FACTS, "event.attended", town.event_id) == 1


async def test_a_scan_without_a_network_is_told_later_and_the_first_arrival_stays(town: Town) -> None:
    ticket, now = (await _ticket(town, Standing.MEMBER))["ticket"], datetime.now(UTC)
    earlier = (now - timedelta(minutes=30)).isoformat()
    assert (await _scan(town, ticket)).ok()["arrivedAt"] > earlier
    arrived = datetime.fromisoformat((await _scan(town, ticket, at=earlier)).ok()["arrivedAt"])
    assert arrived == now - timedelta(minutes=30)
    later = (await _scan(town, ticket, at=(now + timedelta(days=9)).isoformat())).ok()
    assert datetime.fromisoformat(later["arrivedAt"]) == arrived


async def test_a_scanner_verifies_tickets_with_the_published_keys_and_a_stock_library(town: Town) -> None:
    held = await _ticket(town, Standing.MEMBER)
    published = (await town.service.http.get("/.well-known/tickets.json")).json()
    (key,) = jwt.PyJWKSet.from_dict(published).keys
    claims = jwt.decode(held["ticket"], key.key, algorithms=["EdDSA"])
    assert (claims["eid"], claims["sub"]) == (str(town.event_id), held["attendance"]["id"])
    assert held["qr"].startswith("<svg")


async def test_what_is_no_ticket_of_the_event_lets_nobody_in(town: Town) -> None:
    secrets = town.service.settings.security.secrets
    good = (await _ticket(town, Standing.MEMBER))["ticket"]
    read = ticket_keys(secrets).read(good)
    assert read is not None
    head, body, signature = good.split(".")
    member, keys = town.people[Standing.MEMBER], ticket_keys(secrets)
    access, _ = token_keys(town.service.settings.security).sign(
        user_id=member.user_id, session_id=new_id(), now=datetime.now(UTC)
    )
    bad = {
        "of another event": keys.sign(read._replace(event_id=town.hidden_id)),
        "of another community": keys.sign(read._replace(tenant_id=new_id())),
        "of another deployment": ticket_keys(("another secret that is long enough",)).sign(read),
        "an access token": access,
        "without a signature": f"{head}.{body}.",
        "with another's signature": f"{head}.{body}.{signature[::-1]}",
        "alg none": jwt.encode({"tid": str(read.tenant_id)}, "", algorithm="none"),
        "empty": "",
        "noise": "\u0000 ticket",
    }
    for what, text in bad.items():
        answer = await _scan(town, text)
        assert answer.status in (400, 422), what
        assert answer.code in ("BAD_TICKET", "VALIDATION_ERROR", "BAD_USER_INPUT"), what
    unknown = await _scan(town, keys.sign(Ticket(read.tenant_id, town.event_id, new_id())))
    assert (unknown.status, unknown.code) == (409, "NOT_SEATED")
    assert not await value(town.service.urls, "select count(*) from event_members where attendance is not null")


async def test_a_ticket_is_no_access_token(town: Town) -> None:
    ticket = (await _ticket(town, Standing.OWNER))["ticket"]
    answer = await town.service.http.get("/api/v1/me", headers={"authorization": f"Bearer {ticket}"})
    assert answer.status_code == 401


async def test_who_gave_their_place_up_is_not_let_in_and_gets_no_ticket(town: Town) -> None:
    ticket = (await _ticket(town, Standing.MEMBER))["ticket"]
    (await town.people[Standing.MEMBER].client.call("leaveEvent", eventId=town.event_id)).ok()
    for answer in (
        await _scan(town, ticket),
        await town.people[Standing.MEMBER].client.call("eventTicket", eventId=town.event_id),
        await town.people[Standing.OUTSIDER].client.call("eventTicket", eventId=town.event_id),
    ):
        assert (answer.status, answer.code) == (409, "NOT_SEATED")


async def test_organisers_mark_who_came_and_who_did_not_and_take_it_back(town: Town) -> None:
    owner, who = town.people[Standing.OWNER].client, town.people[Standing.MEMBER].user_id
    for attendance, way in (("NO_SHOW", None), ("PRESENT", "ORGANISER"), (None, None)):
        marked = (await owner.call("markAttendance", eventId=town.event_id, userId=who, attendance=attendance)).ok()
        assert (marked["attendance"], marked["arrivedBy"]) == (attendance, way)
        assert (marked["arrivedAt"] is None) is (way is None)
    unknown = await owner.call("markAttendance", eventId=town.event_id, userId=new_id(), attendance="PRESENT")
    assert (unknown.status, unknown.code) == (404, "MEMBERSHIP_NOT_FOUND")
    waiting = await owner.call("markAttendance", eventId=town.event_id, userId=town.waiting.user_id)
    assert (waiting.status, waiting.code) == (409, "NOT_SEATED")


async def test_only_organisers_let_people_in_and_see_who_came(town: Town) -> None:
    ticket = (await _ticket(town, Standing.MEMBER))["ticket"]
    refused = await _scan(town, ticket, Standing.MEMBER)
    assert (refused.status, refused.code) == (403, "NOT_ORGANISER")
    (await _scan(town, ticket)).ok()
    seen = {}
    for standing in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER, Standing.OUTSIDER):
        listed = (await town.people[standing].client.call("eventAttendance", eventId=town.event_id)).ok()["items"]
        seen[standing] = [each["user"]["id"] for each in listed]
    everybody = [str(town.people[each].user_id) for each in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER)]
    assert seen[Standing.OWNER] == seen[Standing.MODERATOR] == everybody
    assert seen[Standing.MEMBER] == everybody[2:]
    assert seen[Standing.OUTSIDER] == []
    came = await town.people[Standing.OWNER].client.call(
        "eventAttendance", eventId=town.event_id, filter={"attendance": "PRESENT"}
    )
    assert [each["user"]["id"] for each in came.ok()["items"]] == everybody[2:]


async def _come(person: Person, event_id: UUID, latitude: float = 52.2) -> Answer:
    return await person.client.call("checkInMyself", eventId=event_id, latitude=latitude, longitude=21.0)


async def test_people_check_themselves_in_where_and_when_the_event_lets_them(town: Town) -> None:
    member = town.people[Standing.MEMBER]
    assert (await _come(member, town.event_id)).code == "NOT_HERE"
    (
        await town.people[Standing.OWNER].client.call("updateEvent", id=town.event_id, input={"selfCheckInMetres": 200})
    ).ok()
    assert (await _come(member, town.event_id)).code == "NOT_NOW"
    await _begin(town)
    assert (await _come(member, town.event_id, latitude=52.3)).code == "NOT_HERE"
    assert (await _come(town.people[Standing.OUTSIDER], town.event_id)).code == "NOT_SEATED"
    nowhere = "update events set address_visibility = $2 where id = $1"
    await change(town.service.urls, nowhere, town.event_id, "HIDDEN")
    assert (await _come(member, town.event_id)).code == "NOT_HERE"
    await change(town.service.urls, nowhere, town.event_id, "AFTER_JOIN")
    came = (await _come(member, town.event_id, latitude=52.2009)).ok()
    assert (came["attendance"], came["arrivedBy"], came["scans"]) == ("PRESENT", "ONESELF", 1)
    assert (await _come(member, town.event_id)).ok() == came
    await _begin(town, in_=timedelta(hours=-3))
    assert (await _come(member, town.event_id)).code == "NOT_NOW"


async def test_the_list_of_who_came_is_taken_along_as_a_table_that_runs_nothing(town: Town) -> None:
    who = town.people[Standing.MEMBER]
    await change(town.service.urls, "update users set name = '=1+1' where id = $1", who.user_id)
    (await _scan(town, (await _ticket(town, Standing.MEMBER))["ticket"])).ok()
    client = town.people[Standing.MODERATOR].client
    first = (await client.call("exportAttendance", eventId=town.event_id)).ok()
    head, *rows = list(csv.reader(io.StringIO(first["text"])))
    [line] = [dict(zip(head, row, strict=True)) for row in rows if str(who.user_id) in row]
    assert (line["name"], line["attendance"], line["scans"], line["party_size"]) == ("'=1+1", "PRESENT", "1", "1")
    seated = await value(
        town.service.urls, "select count(*) from event_members where event_id = $1 and status = 'JOINED'", town.event_id
    )
    assert (first["rows"], len(rows), first["hasNextPage"]) == (seated, seated, False)
    rest = (await client.call("exportAttendance", eventId=town.event_id, after=first["endCursor"])).ok()
    assert (rest["text"], rest["rows"], rest["endCursor"]) == ("", 0, first["endCursor"])
    assert await value(town.service.urls, FACTS, "event.attendance_exported", town.event_id) == 2
    hidden = {"eventId": town.hidden_id, "after": first["endCursor"]}
    assert (await town.people[Standing.OWNER].client.call("exportAttendance", **hidden)).status in (400, 404)
    for standing in (Standing.MEMBER, Standing.OUTSIDER):
        refused = await town.people[standing].client.call("exportAttendance", eventId=town.event_id)
        assert (refused.status, refused.code) == (403, "NOT_ORGANISER")


@pytest.mark.parametrize("state", ["DRAFT", "CANCELLED"])
async def test_there_is_no_door_before_publication_nor_after_a_cancellation(town: Town, state: str) -> None:
    ticket = (await _ticket(town, Standing.MEMBER))["ticket"]
    changed = "update events set status = $2, cancelled_at = now() where id = $1"
    await change(town.service.urls, changed, town.event_id, state)
    assert (await _scan(town, ticket)).code == {"DRAFT": "NOT_PUBLISHED", "CANCELLED": "EVENT_CANCELLED"}[state]


async def test_two_doors_that_scan_one_ticket_at_once_count_both_and_let_one_person_in(town: Town) -> None:
    ticket = (await _ticket(town, Standing.MEMBER))["ticket"]
    answers = await at_once(*(_scan(town, ticket, by) for by in (Standing.OWNER, Standing.MODERATOR)))
    assert [each.ok()["attendance"] for each in answers] == ["PRESENT", "PRESENT"]
    assert await value(town.service.urls, "select max(scans) from event_members") == 2
    assert await value(town.service.urls, FACTS, "event.attended", town.event_id) == 1


async def test_who_leaves_while_they_are_scanned_is_either_in_or_out(town: Town) -> None:
    ticket, member = (await _ticket(town, Standing.MEMBER))["ticket"], town.people[Standing.MEMBER]
    scanned, left = await at_once(_scan(town, ticket), member.client.call("leaveEvent", eventId=town.event_id))
    assert left.status == 200
    assert scanned.code in (None, "NOT_SEATED")


def test_how_far_two_points_are_apart() -> None:
    # Warsaw to Krakow, by https://geographiclib.sourceforge.io within half a per cent of the ellipsoid.
    assert metres_between((52.2297, 21.0122), (50.0647, 19.9450)) == pytest.approx(252_000, rel=0.005)
    assert metres_between((0.0, 179.9999), (0.0, -179.9999)) == pytest.approx(22.2, rel=0.01)
    assert metres_between((90.0, 0.0), (90.0, 180.0)) == pytest.approx(0.0, abs=1e-6)
    assert metres_between((0.0, 0.0), (0.0, 180.0)) == pytest.approx(20_015_115, rel=1e-6)


def test_when_people_may_come() -> None:
    start = datetime(2031, 5, 1, 18, tzinfo=UTC)
    end = start + timedelta(hours=2)
    moments = {timedelta(hours=-2, seconds=-1): False, timedelta(hours=-2): True, timedelta(hours=2): False}
    assert {each: is_time_to_come(start, end, start + each) for each in moments} == moments

"""Calendars: what two parsers read in them, to whom an address is worth something, and that text stays text."""

from datetime import datetime
from typing import Any

import httpx
import icalendar
import pytest
from ical.calendar_stream import IcsCalendarStream

from muster.events.tests.support import at_once
from muster.testing.below import change, value
from muster.testing.people import Person, Standing, sign_in
from muster.testing.serving import Service
from muster.testing.town import Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOSTILE = "a\r\nEND:VEVENT\rBEGIN:VALARM\u2028X-EVIL:1\x0b;,\\n"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _open(person: Person, **wanted: Any) -> str:
    """The path of somebody's feed."""
    opened = (await person.client.call("openCalendar", **wanted)).ok()
    return str(httpx.URL(opened["url"]).path)


async def _fetch(service: Service, path: str, **headers: str) -> httpx.Response:
    return await service.http.get(path, headers=headers)


def _read(answer: httpx.Response) -> dict[str, icalendar.Event]:
    """The events of a calendar by their titles, when two parsers agree about them."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    ours = {str(each["summary"]): each for each in icalendar.Calendar.from_ical(answer.content).events}
    theirs = {each.summary: each for each in IcsCalendarStream.calendar_from_ics(answer.text).events}
    assert ours.keys() == theirs.keys()
    for title, event in ours.items():
        other = theirs[title]
        assert (event.start, event.end) == (other.dtstart, other.dtend)
        assert (str(event["uid"]), event.sequence) == (other.uid, other.sequence)
        assert (str(event["status"]), str(event.get("location", ""))) == (other.status, other.location or "")
        assert str(event.get("description", "")) == (other.description or "")
    return ours


async def test_a_single_event_is_a_file_for_whoever_sees_it(town: Town) -> None:
    owner, member, outsider = (town.people[each] for each in (Standing.OWNER, Standing.MEMBER, Standing.OUTSIDER))
    path = f"/calendar/events/{town.event_id}.ics"
    (seen,) = _read(await _fetch(town.service, path)).values()
    (inside,) = _read(await _fetch(town.service, path, **member.client.headers())).values()
    told = (await member.client.call("event", id=town.event_id)).ok()
    assert (str(inside["summary"]), str(inside["uid"])) == (told["title"], told["id"])
    assert datetime.fromisoformat(told["startsAt"]) == inside.DTSTART
    assert inside.sequence == told["version"] - 1
    assert inside["dtstart"].params["tzid"] == "Europe/Warsaw"
    assert ("meet.example" in str(inside["description"]), "meet.example" in str(seen["description"])) == (True, False)
    hidden, draft = f"/calendar/events/{town.hidden_id}.ics", f"/calendar/events/{town.draft_id}.ics"
    assert (await _fetch(town.service, hidden, **owner.client.headers())).status_code == 200
    # A draft is in nobody's calendar, not even its organisers'.
    for person, closed in ((outsider, hidden), (owner, draft)):
        refused = await _fetch(town.service, closed, **person.client.headers())
        assert (refused.status_code, "evening" in refused.text) == (404, False)
    for nothing in ("no-id", "..%2f..", str(town.tenant_id)):
        assert (await _fetch(town.service, f"/calendar/events/{nothing}.ics")).status_code == 404


async def test_feeds_hold_what_their_person_may_see(town: Town) -> None:
    owner, member, outsider = (town.people[each] for each in (Standing.OWNER, Standing.MEMBER, Standing.OUTSIDER))
    public, hidden = "An evening in main", "A hidden evening in main"
    holds: list[tuple[Person, dict[str, Any], set[str]]] = [
        (owner, {"scope": "MINE"}, {public, hidden}),
        (member, {}, {public}),
        (outsider, {"scope": "MINE"}, set()),
        (outsider, {"scope": "COMMUNITY"}, {public}),
        (owner, {"scope": "COMMUNITY"}, {public}),
        (owner, {"eventId": town.hidden_id}, {hidden}),
        (outsider, {"eventId": town.event_id}, {public}),
    ]
    for person, wanted, titles in holds:
        path = await _open(person, **wanted)
        assert await _open(person, **wanted) == path
        assert _read(await _fetch(town.service, path)).keys() == titles, (person.name, wanted)
    mine = (await owner.client.call("myCalendars")).ok()["items"]
    assert sorted(each["scope"] for each in mine) == ["COMMUNITY", "EVENT", "MINE"]
    refused = await outsider.client.call("openCalendar", eventId=town.hidden_id)
    assert refused.code == "EVENT_NOT_FOUND"
    for wanted in ({"scope": "EVENT"}, {"scope": "MINE", "eventId": town.event_id}):
        assert (await outsider.client.call("openCalendar", **wanted)).code == "VALIDATION_ERROR"


async def test_a_feed_follows_its_events(town: Town) -> None:
    owner, member = town.people[Standing.OWNER].client, town.people[Standing.MEMBER]
    title = "An evening that changes"
    event_id = await make_event(owner, title=title)
    (await member.client.call("joinEvent", eventId=event_id)).ok()
    path = await _open(member, scope="MINE")
    first = await _fetch(town.service, path)
    assert first.headers["cache-control"] == "private, no-cache"
    same = await _fetch(town.service, path, **{"if-none-match": first.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    moved = {"startsAt": "2099-07-01T20:00:00+02:00", "endsAt": "2099-07-01T23:00:00+02:00"}
    (await owner.call("updateEvent", id=event_id, input=moved)).ok()
    second = await _fetch(town.service, path, **{"if-none-match": first.headers["etag"]})
    before, after = _read(first)[title], _read(second)[title]
    assert (before["uid"], before.sequence + 1) == (after["uid"], after.sequence)
    assert after.start.isoformat() == "2099-07-01T20:00:00+02:00"
    (await owner.call("cancelEvent", id=event_id)).ok()
    third = _read(await _fetch(town.service, path))[title]
    assert (third["status"], third.sequence) == ("CANCELLED", after.sequence + 1)
    (await town.people[Standing.OWNER].client.call("kickMember", eventId=town.event_id, userId=member.user_id)).ok()
    assert _read(await _fetch(town.service, path)).keys() == {title}


async def test_an_address_is_worth_nothing_once_it_is_closed_or_its_person_is_gone(town: Town) -> None:
    person = await sign_in(town.service, "somebody with a calendar")
    path = await _open(person, scope="COMMUNITY")
    refusals = [await _fetch(town.service, each) for each in (path[:-5] + "x.ics", "/calendar/none.ics")]
    urls = town.service.urls
    for off, on in (
        (
            "update members set status = 'SUSPENDED' where user_id = $1",
            "update members set status = 'ACTIVE' where user_id = $1",
        ),
        ("update users set disabled_at = now() where id = $1", "update users set disabled_at = null where id = $1"),
    ):
        await change(urls, off, person.user_id)
        refusals.append(await _fetch(town.service, path))
        await change(urls, on, person.user_id)
        assert (await _fetch(town.service, path)).status_code == 200
    (await town.people[Standing.OUTSIDER].client.call("closeCalendar", scope="COMMUNITY")).ok()
    assert (await _fetch(town.service, path)).status_code == 200
    for _ in range(2):
        (await person.client.call("closeCalendar", scope="COMMUNITY")).ok()
    refusals.append(await _fetch(town.service, path))
    # Nothing tells one reason from another; what differs is the number of the request.
    assert {each.status_code for each in refusals} == {404}
    assert len({_without_request(each) for each in refusals}) == 1
    assert await _open(person, scope="COMMUNITY") != path


async def test_a_feed_that_is_asked_for_many_times_at_once_is_one(town: Town) -> None:
    person = await sign_in(town.service, "somebody in a hurry")
    opened = await at_once(*(person.client.call("openCalendar", scope="MINE") for _ in range(8)))
    assert len({each.ok()["url"] for each in opened}) == 1
    assert await value(town.service.urls, "select count(*) from calendar_feeds where user_id = $1", person.user_id) == 1


async def test_what_people_write_stays_within_its_line(town: Town) -> None:
    owner = town.people[Standing.OWNER].client
    event_id = await make_event(owner, title=HOSTILE, description=HOSTILE * 9, address=HOSTILE, city=None, country=None)
    answer = await _fetch(town.service, f"/calendar/events/{event_id}.ics")
    (event,) = _read(answer).values()
    assert str(event["summary"]) == "a END:VEVENT BEGIN:VALARM X-EVIL:1 ;,\\n"
    assert (len(event.subcomponents), "X-EVIL" in event) == (0, False)
    lines = answer.content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not any(b"\n" in line or b"\r" in line for line in lines)


def _without_request(answer: httpx.Response) -> str:
    return answer.text.replace(answer.headers.get("x-request-id", "-"), "")

"""Streams over REST: several at once, resumed together without a gap or a repeat, in a form that browsers take."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from muster.kit.endpoints.event_stream.rest import MOST_STREAMS, PATH
from muster.kit.realtime import feed
from muster.testing.listening import Listener, listening
from muster.testing.people import Standing, sign_in
from muster.testing.town import Town, make_event
from muster.testing.work import working

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_town: Town) -> AsyncIterator[Town]:
    """A town at work."""
    async with working(module_town.service.urls) as work:
        await work.quiet()
        yield module_town


def stream(
    town: Town, headers: Mapping[str, str], last: str | None = None, **streams: object
) -> AbstractAsyncContextManager[Listener]:
    """Streams by their names."""
    given = {**headers, **({} if last is None else {"last-event-id": last})}
    params = {name: str(value) for name, value in streams.items()}
    return listening(town.service.http, "GET", PATH, params=params, headers=given)


async def say(town: Town, *contents: str, event_id: UUID | None = None) -> None:
    for each in contents:
        room = event_id or town.event_id
        (await town.client(Standing.OWNER).call("sendEventMessage", eventId=room, content=each)).ok()


async def test_an_event_is_named_as_its_stream_and_holds_what_rest_gives(town: Town) -> None:
    member = town.client(Standing.MEMBER)
    async with stream(town, member.headers(), eventMessageAdded=town.event_id, notificationAdded="true") as listener:
        await listener.place()
        await say(town, "hello")
        heard = await listener.next()
        assert (heard.event, heard.json()["content"]) == ("eventMessageAdded", "hello")
        messages = (await member.call("eventMessages", eventId=town.event_id, last=1)).ok()
        assert heard.json() == messages["items"][0]
        change: dict[str, Any] = {"eventId": town.event_id, "userId": town.people[Standing.MEMBER].user_id}
        for role in ("MODERATOR", "PARTICIPANT"):
            (await town.client(Standing.OWNER).call("updateMemberRole", **change, role=role)).ok()
        notice = await listener.next()
        assert (notice.event, notice.json()["kind"]) == ("notificationAdded", "EVENT_MEMBER_ROLE_CHANGED")


async def test_streams_that_are_cut_at_random_miss_nothing_and_repeat_nothing(town: Town) -> None:
    """Two rooms in one connection, whose elements come in any order between them."""
    owner = town.client(Standing.OWNER)
    rooms = {town.event_id: "a", await make_event(owner): "b"}
    asked = ",".join(map(str, rooms))
    chance = random.Random(4)
    expected = [f"{room}{number}" for number in range(40) for room in rooms.values()]
    heard: list[str] = []
    async with stream(town, owner.headers(), eventMessageAdded=asked) as listener:
        last = await listener.place()
        speaking = [
            asyncio.create_task(say(town, *(each for each in expected if each[0] == letter), event_id=room))
            for room, letter in rooms.items()
        ]
    while len(heard) < len(expected):
        async with stream(town, owner.headers(), last, eventMessageAdded=asked) as listener:
            for _ in range(min(chance.randint(1, 12), len(expected) - len(heard))):
                element = await listener.next()
                heard.append(element.json()["content"])
                last = str(element.id)
    await asyncio.gather(*speaking)
    for letter in "ab":
        assert [each for each in heard if each[0] == letter] == [each for each in expected if each[0] == letter]


REFUSED: dict[str, tuple[Standing, dict[str, object], int, str]] = {
    "nothing": (Standing.MEMBER, {}, 400, "BAD_USER_INPUT"),
    "no such stream": (Standing.MEMBER, {"nothingAdded": "true"}, 422, "VALIDATION_ERROR"),
    "no id": (Standing.MEMBER, {"eventMessageAdded": "true"}, 422, "VALIDATION_ERROR"),
    "an id for oneself": (Standing.MEMBER, {"notificationAdded": uuid4()}, 422, "VALIDATION_ERROR"),
    "too many": (
        Standing.MEMBER,
        {"eventUpdated": ",".join(str(uuid4()) for _ in range(MOST_STREAMS + 1))},
        400,
        "BAD_USER_INPUT",
    ),
    "no such topic": (Standing.MEMBER, {"eventUpdated": uuid4()}, 404, "NOT_FOUND"),
    "a place of nothing": (Standing.MEMBER, {"notificationAdded": "true", "after": "x"}, 400, "BAD_USER_INPUT"),
    "a community that there is not": (Standing.MEMBER, {"tenant": "nowhere"}, 404, "TENANT_NOT_FOUND"),
    "without a token": (Standing.ANONYMOUS, {"notificationAdded": "true"}, 401, "UNAUTHENTICATED"),
    "without a seat": (Standing.OUTSIDER, {"eventMessageAdded": "the event"}, 403, "FORBIDDEN"),
    "from another community": (Standing.OTHER_TENANT, {"eventMessageAdded": "the event"}, 404, "NOT_FOUND"),
    "suspended": (Standing.SUSPENDED, {"eventMessageAdded": "the event"}, 403, "NOT_A_MEMBER"),
    "one that is open and one that is not": (
        Standing.OUTSIDER,
        {"notificationAdded": "true", "eventMessageAdded": "the event"},
        403,
        "FORBIDDEN",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_refused_is_a_problem(name: str, town: Town) -> None:
    standing, given, status, code = REFUSED[name]
    params: dict[str, Any] = {key: town.event_id if value == "the event" else value for key, value in given.items()}
    response = await town.service.http.get(PATH, params=params, headers=town.client(standing).headers())
    assert (response.status_code, response.json()["code"]) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"


async def test_a_place_is_of_its_streams_and_its_person(town: Town) -> None:
    async with stream(town, town.client(Standing.MEMBER).headers(), notificationAdded="true") as listener:
        last = await listener.place()
    for standing, given in (
        (Standing.OWNER, {"notificationAdded": "true"}),
        (Standing.MEMBER, {"eventUpdated": str(town.event_id)}),
    ):
        headers = {**town.client(standing).headers(), "last-event-id": last}
        assert (await town.service.http.get(PATH, params=given, headers=headers)).status_code == 400
    json_only = {**town.client(Standing.MEMBER).headers(), "accept": "application/json"}
    assert (
        await town.service.http.get(PATH, params={"notificationAdded": "true"}, headers=json_only)
    ).status_code == 406


async def test_who_may_not_follow_any_more_is_told_and_cut_off(town: Town) -> None:
    person = await sign_in(town.service, "somebody who is removed")
    event_id = await make_event(town.client(Standing.OWNER))
    (await person.client.call("joinEvent", eventId=event_id)).ok()
    headers = person.client.headers()
    async with stream(town, headers, eventMessageAdded=event_id, notificationBadgeChanged="true") as listener:
        await listener.place()
        (await town.client(Standing.OWNER).call("kickMember", eventId=event_id, userId=person.user_id)).ok()
        heard = await listener.next()
        while heard.event == "notificationBadgeChanged":
            heard = await listener.next()
        told = heard.json()
        assert (heard.event, told["code"], told["stream"]) == ("problem", "FORBIDDEN", "eventMessageAdded")
        assert await listener.over()


async def test_a_place_that_is_too_far_behind_is_taken_away(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a browser would come back with it for ever."""
    monkeypatch.setattr(feed, "_LONGEST_GAP", 2)
    headers = town.client(Standing.MEMBER).headers()
    async with stream(town, headers, eventMessageAdded=town.event_id) as listener:
        last = await listener.place()
        await say(town, "one", "two", "three")
        await listener.next()
    async with stream(town, headers, last, eventMessageAdded=town.event_id) as listener:
        heard = await listener.next()
        while heard.event != "problem":
            heard = await listener.next()
        assert (heard.json()["code"], heard.id) == ("RESYNC", "")


async def test_a_community_is_named_in_the_address(town: Town) -> None:
    """Since browsers send no headers with `EventSource`."""
    stranger = town.people[Standing.OTHER_TENANT]
    bare = {"authorization": stranger.client.headers()["authorization"]}
    own = stranger.client.headers()["x-tenant"]
    async with stream(town, bare, tenant=own, notificationAdded="true") as listener:
        await listener.place()

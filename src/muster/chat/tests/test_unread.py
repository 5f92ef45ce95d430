"""Unread counts: exact whatever happens, for everybody, at every moment."""

import asyncio
import random
from typing import Any
from uuid import UUID

import pytest

from muster.testing.below import ask, maintenance, value
from muster.testing.client import Client, Way
from muster.testing.counts import WRONGLY_UNREAD
from muster.testing.people import Person, Standing, sign_in
from muster.testing.serving import Service
from muster.testing.town import Town, make_event


async def _chat(client: Client, event_id: object, way: Way = Way.REST) -> Any:
    return (await client.call("myEventChat", way=way, eventId=event_id)).ok()


async def _say(client: Client, event_id: object, content: str = "Hello") -> Any:
    return (await client.call("sendEventMessage", eventId=event_id, content=content)).ok()


async def _read(client: Client, event_id: object, way: Way = Way.REST, **given: object) -> Any:
    return (await client.call("markEventChatRead", way=way, eventId=event_id, **given)).ok()


@pytest.mark.parametrize("way", Way)
async def test_own_and_deleted_messages_are_not_unread(town: Town, way: Way) -> None:
    owner, member = town.client(Standing.OWNER), town.client(Standing.MEMBER)
    await _read(owner, town.event_id, way)
    said = [await _say(each, town.event_id) for each in (member, owner, member, member, owner)]
    chat = await _chat(owner, town.event_id, way)
    assert (chat["readSequence"], chat["lastSequence"], chat["unreadCount"]) == (1, 6, 3)
    (await member.call("deleteEventMessage", eventId=town.event_id, id=said[2]["id"])).ok()
    (await owner.call("deleteEventMessage", eventId=town.event_id, id=said[1]["id"])).ok()
    assert (await _chat(owner, town.event_id, way))["unreadCount"] == 2
    assert (await _read(owner, town.event_id, way, sequence=2))["unreadCount"] == 1
    assert (await _read(owner, town.event_id, way))["unreadCount"] == 0


@pytest.mark.parametrize("way", Way)
async def test_what_was_read_stays_read(town: Town, way: Way) -> None:
    owner, member = town.client(Standing.OWNER), town.client(Standing.MEMBER)
    for _ in range(3):
        await _say(member, town.event_id)
    assert (await _read(owner, town.event_id, way, sequence=3))["unreadCount"] == 1
    assert (await _read(owner, town.event_id, way, sequence=1))["readSequence"] == 3
    beyond = await owner.call("markEventChatRead", way=way, eventId=town.event_id, sequence=5)
    assert (beyond.code, beyond.problem["errors"][0]["path"]) == ("VALIDATION_ERROR", "sequence")
    assert (await _chat(owner, town.event_id, way))["readSequence"] == 3


@pytest.mark.parametrize("way", Way)
async def test_the_first_unread_message_is_found_by_its_sequence(town: Town, way: Way) -> None:
    owner, member = town.client(Standing.OWNER), town.client(Standing.MEMBER)
    for number in range(2, 8):
        await _say(member, town.event_id, f"{number}")
    await _read(owner, town.event_id, sequence=4)
    given: dict[str, Any] = {"way": way, "eventId": town.event_id}
    new = await owner.call("eventMessages", filter={"fromSequence": 5}, first=2, **given)
    assert [each["sequence"] for each in new.ok()["items"]] == [5, 6]
    old = await owner.call("eventMessages", filter={"beforeSequence": 5}, last=2, **given)
    assert [each["sequence"] for each in old.ok()["items"]] == [3, 4]


async def test_who_comes_finds_nothing_unread(service: Service) -> None:
    owner, late = [await sign_in(service, name) for name in ("owner", "late")]
    event_id = await make_event(owner.client, max=5)
    for _ in range(3):
        await _say(owner.client, event_id)
    (await late.client.call("joinEvent", eventId=event_id)).ok()
    chat = await _chat(late.client, event_id)
    assert (chat["readSequence"], chat["unreadCount"]) == (3, 0)
    await _say(owner.client, event_id)
    chats = (await late.client.call("myEventChats")).ok()["items"]
    assert [(each["unreadCount"], each["event"]["id"]) for each in chats] == [(1, str(event_id))]


@pytest.mark.parametrize("way", Way)
async def test_only_who_sits_there_reads_and_mutes(town: Town, way: Way) -> None:
    for standing, code in (
        (Standing.ANONYMOUS, "UNAUTHENTICATED"),
        (Standing.OUTSIDER, "NOT_IN_ROOM"),
        (Standing.OTHER_TENANT, "EVENT_NOT_FOUND"),
    ):
        client = town.client(standing)
        assert (await client.call("markEventChatRead", way=way, eventId=town.event_id)).code == code
        assert (await client.call("muteEvent", way=way, eventId=town.event_id, muted=True)).code == code
    assert (await town.client(Standing.OUTSIDER).call("myEventChat", way=way, eventId=town.event_id)).missing


@pytest.mark.parametrize("way", Way)
async def test_muting_twice_is_muting_once(town: Town, way: Way) -> None:
    member = town.client(Standing.MEMBER)
    muted = [
        (await member.call("muteEvent", way=way, eventId=town.event_id, muted=each)).ok()["mutedAt"]
        for each in (True, True, False, False)
    ]
    assert muted[0] == muted[1] is not None
    assert muted[2:] == [None, None]


async def test_the_cursor_never_goes_back(town: Town) -> None:
    owner, member = town.client(Standing.OWNER), town.client(Standing.MEMBER)
    for _ in range(12):
        await _say(member, town.event_id)
    marks = [_read(owner, town.event_id, sequence=number) for number in random.Random(1).sample(range(13), 13)]
    answers = await asyncio.gather(*marks)
    assert (await _chat(owner, town.event_id))["readSequence"] == 12
    assert all(answer["readSequence"] + answer["unreadCount"] == 13 for answer in answers)


@pytest.mark.parametrize("seed", range(3))
async def test_counts_are_exact_at_every_moment_of_a_random_history(service: Service, seed: int) -> None:
    dice = random.Random(seed)
    owner, *people = [await sign_in(service, f"person {number}") for number in range(5)]
    event_id = await make_event(owner.client, max=5)
    for person in people:
        (await person.client.call("joinEvent", eventId=event_id)).ok()
    over = asyncio.Event()
    looking = asyncio.create_task(_differences(service, over))
    histories = (_live(person, event_id, random.Random(dice.random()), owner.client) for person in (owner, *people))
    await asyncio.gather(*histories)
    over.set()
    looks, differences = await looking
    assert looks
    assert differences == []
    for person in (owner, *people):
        found = await person.client.call("myEventChat", eventId=event_id)
        if not found.missing:
            assert found.ok()["unreadCount"] == await _plain_count(service, event_id, person)
    assert await value(service.urls, "select count(*) from messages where deleted_at is not null")


async def _live(person: Person, event_id: UUID, dice: random.Random, moderator: Client) -> None:
    """Talk, delete, read, go and come back at random."""
    own: list[str] = []
    for _ in range(30):
        verb = dice.choices(("say", "delete", "moderate", "read", "read some", "go"), (8, 3, 2, 3, 3, 1))[0]
        if verb == "say":
            said = await person.client.call("sendEventMessage", eventId=event_id, content="Hello")
            own += [] if said.code else [said.ok()["id"]]
        elif verb in ("delete", "moderate") and own:
            by, message_id = person.client if verb == "delete" else moderator, dice.choice(own)
            await by.call("deleteEventMessage", eventId=event_id, id=message_id, reason="No reason")
        elif verb.startswith("read"):
            given: dict[str, Any] = {"sequence": dice.randrange(40)} if verb == "read some" else {}
            await person.client.call("markEventChatRead", eventId=event_id, **given)
        elif verb == "go":
            await person.client.call("leaveEvent", eventId=event_id)
            await person.client.call("joinEvent", eventId=event_id)


async def _differences(service: Service, over: asyncio.Event) -> tuple[int, list[Any]]:
    """How often it was asked, and the seats whose count was wrong at any time."""
    looks, found = 0, list[Any]()
    async with maintenance(service.urls) as connection:
        while not over.is_set():
            found += await connection.fetch(WRONGLY_UNREAD)
            looks += 1
            await asyncio.sleep(0)
        found += await connection.fetch(WRONGLY_UNREAD)
    return looks, found


async def _plain_count(service: Service, event_id: UUID, person: Person) -> int:
    rows = await ask(
        service.urls,
        "select count(*) from messages m join room_seats s on s.room_id = m.room_id "
        "where m.room_id = $1 and s.user_id = $2 and m.author_id <> $2 and m.deleted_at is null "
        "and m.sequence > s.read_sequence",
        event_id,
        person.user_id,
    )
    return int(rows[0][0])

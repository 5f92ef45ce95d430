"""Words are their author's: who edits and deletes what, until when, and what is left of it."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from muster.testing.below import ask, change, snapshot, value
from muster.testing.client import Answer, Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town

_OLDER = "update messages set created_at = created_at - $2::interval where id = $1"
_FACTS = "select count(*) from facts where kind = $1 and data->>'message_id' = $2"
_VERSIONS = "select content from message_versions where message_id = $1 order by written_at, id"


async def _say(client: Client, town: Town, content: str) -> Any:
    return (await client.call("sendEventMessage", eventId=town.event_id, content=content)).ok()


async def _edit(client: Client, town: Town, message_id: object, content: str, way: Way = Way.REST) -> Answer:
    return await client.call("editEventMessage", way=way, eventId=town.event_id, id=message_id, content=content)


async def _delete(client: Client, town: Town, message_id: object, way: Way = Way.REST, **given: Any) -> Answer:
    return await client.call("deleteEventMessage", way=way, eventId=town.event_id, id=message_id, **given)


async def _versions(client: Client, town: Town, message_id: object, way: Way = Way.REST) -> list[str]:
    page = await client.call("eventMessageVersions", way=way, eventId=town.event_id, messageId=message_id)
    return [each["content"] for each in page.ok()["items"]]


@pytest.mark.parametrize("way", Way)
async def test_an_edited_message_shows_that_it_was_and_who_runs_the_event_sees_what_it_said(
    town: Town, way: Way
) -> None:
    member, owner = town.client(Standing.MEMBER), town.client(Standing.OWNER)
    said = await _say(member, town, "At seven")
    assert said["editedAt"] is None
    edited = (await _edit(member, town, said["id"], "At eight", way)).ok()
    assert (edited["content"], edited["sequence"]) == ("At eight", said["sequence"])
    assert edited["editedAt"] > edited["createdAt"] == said["createdAt"]
    (await _edit(member, town, said["id"], "At nine", way)).ok()
    assert await _versions(owner, town, said["id"], way) == ["At seven", "At eight"]
    assert await _versions(member, town, said["id"], way) == []
    read = (await owner.call("eventMessages", way=way, eventId=town.event_id)).ok()["items"][-1]
    assert read["content"] == "At nine"


async def test_the_same_words_again_change_nothing(town: Town) -> None:
    member = town.client(Standing.MEMBER)
    said = await _say(member, town, "At seven")
    assert (await _edit(member, town, said["id"], "At seven")).ok() == said
    assert await value(town.service.urls, _FACTS, "message.edited", said["id"]) == 0
    assert await ask(town.service.urls, _VERSIONS, said["id"]) == []


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    ("standing", "edit", "delete"),
    [
        (Standing.ANONYMOUS, "UNAUTHENTICATED", "UNAUTHENTICATED"),
        (Standing.OUTSIDER, "NOT_IN_ROOM", "NOT_IN_ROOM"),
        (Standing.SUSPENDED, "NOT_A_MEMBER", "NOT_A_MEMBER"),
        (Standing.OTHER_TENANT, "EVENT_NOT_FOUND", "EVENT_NOT_FOUND"),
        (Standing.MODERATOR, "NOT_AUTHOR", "VALIDATION_ERROR"),
        (Standing.OWNER, "NOT_AUTHOR", "VALIDATION_ERROR"),
    ],
)
async def test_nobody_touches_anothers_words(town: Town, way: Way, standing: Standing, edit: str, delete: str) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    client = town.client(standing)
    assert (await _edit(client, town, town.message_id, "I am a fool", way)).code == edit
    refused = await _delete(client, town, town.message_id, way)
    assert refused.code == delete
    if delete == "VALIDATION_ERROR":
        assert refused.problem["errors"][0]["path"] == "reason"
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


async def test_a_member_does_not_delete_what_others_said(town: Town) -> None:
    said = await _say(town.client(Standing.OWNER), town, "Be on time")
    member = town.client(Standing.MEMBER)
    assert (await _delete(member, town, said["id"], reason="I do not like it")).code == "NOT_AUTHOR"


async def test_the_windows_close(town: Town) -> None:
    member = town.client(Standing.MEMBER)
    said = await _say(member, town, "At seven")
    await change(town.service.urls, _OLDER, said["id"], timedelta(minutes=6))
    assert (await _edit(member, town, said["id"], "At eight")).code == "EDIT_WINDOW_PASSED"
    await change(town.service.urls, _OLDER, said["id"], timedelta(minutes=10))
    assert (await _delete(member, town, said["id"])).code == "DELETE_WINDOW_PASSED"
    assert (await _delete(town.client(Standing.MODERATOR), town, said["id"], reason="asked to")).code is None


@pytest.mark.parametrize("way", Way)
async def test_of_what_its_author_deletes_nothing_is_left_but_the_place(town: Town, way: Way) -> None:
    member, owner = town.client(Standing.MEMBER), town.client(Standing.OWNER)
    said = await _say(member, town, "My number is 555 0100")
    (await _edit(member, town, said["id"], "My number is 555 0199", way)).ok()
    deleted = (await _delete(member, town, said["id"], way)).ok()
    assert (deleted["content"], deleted["sequence"]) == (None, said["sequence"])
    assert deleted["deletedAt"] is not None
    assert (await _delete(member, town, said["id"], way)).ok() == deleted
    assert await value(town.service.urls, _FACTS, "message.deleted", said["id"]) == 1
    assert (await _edit(member, town, said["id"], "Never mind", way)).code == "MESSAGE_DELETED"
    after = await _say(owner, town, "What was it?")
    assert after["sequence"] == said["sequence"] + 1
    page = (await owner.call("eventMessages", way=way, eventId=town.event_id)).ok()["items"]
    assert [each["sequence"] for each in page] == [1, 2, 3]
    assert page[1]["content"] is None
    assert await _versions(owner, town, said["id"], way) == []
    rows = await snapshot(town.service.urls)
    assert not [row for table in rows.values() for row in table if "555 01" in row]


@pytest.mark.parametrize("way", Way)
async def test_a_moderator_deletes_with_a_reason_that_the_author_sees(town: Town, way: Way) -> None:
    member, moderator = town.client(Standing.MEMBER), town.client(Standing.MODERATOR)
    deleted = (await _delete(moderator, town, town.message_id, way, reason="No advertising")).ok()
    assert (deleted["content"], deleted["deletionReason"]) == (None, None)
    read = (await member.call("eventMessages", way=way, eventId=town.event_id)).ok()["items"][0]
    assert (read["content"], read["deletionReason"]) == (None, "No advertising")
    assert await _versions(moderator, town, town.message_id, way) == []
    # The decision may be contested, so the words are kept, where no read comes.
    assert len(await ask(town.service.urls, _VERSIONS, town.message_id)) == 2


async def test_a_message_is_found_in_its_own_room_only(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    given: dict[str, Any] = {"eventId": town.hidden_id, "id": town.message_id}
    assert (await owner.call("editEventMessage", content="Hello", **given)).code == "MESSAGE_NOT_FOUND"
    assert (await owner.call("deleteEventMessage", reason="Rude", **given)).code == "MESSAGE_NOT_FOUND"
    elsewhere = await owner.call("eventMessageVersions", eventId=town.hidden_id, messageId=town.message_id)
    assert elsewhere.ok()["items"] == []


async def test_who_was_removed_edits_no_more(town: Town) -> None:
    member, owner = town.people[Standing.MEMBER], town.client(Standing.OWNER)
    edits = [_edit(member.client, town, town.message_id, f"{number}") for number in range(6)]
    kick = owner.call("kickMember", eventId=town.event_id, userId=member.user_id)
    answers = await asyncio.gather(*edits, kick)
    assert {answer.code for answer in answers[:-1]} <= {None, "NOT_IN_ROOM"}
    answers[-1].ok()
    assert (await _edit(member.client, town, town.message_id, "Let me back")).code == "NOT_IN_ROOM"
    assert (await _delete(member.client, town, town.message_id)).code == "NOT_IN_ROOM"


async def test_edits_at_once_leave_every_version_once(town: Town) -> None:
    member = town.client(Standing.MEMBER)
    said = await _say(member, town, "first")
    answers = await asyncio.gather(*(_edit(member, town, said["id"], f"{number}") for number in range(8)))
    assert {answer.code for answer in answers} == {None}
    kept = [row[0] for row in await ask(town.service.urls, _VERSIONS, said["id"])]
    last = await value(town.service.urls, "select content from messages where id = $1", said["id"])
    assert sorted([*kept, last]) == sorted(["first", *(f"{number}" for number in range(8))])
    assert await value(town.service.urls, _FACTS, "message.edited", said["id"]) == 8


@pytest.mark.parametrize("by", [Standing.MEMBER, Standing.OWNER])
async def test_an_edit_and_a_deletion_at_once_end_deleted(town: Town, by: Standing) -> None:
    member = town.client(Standing.MEMBER)
    said = await _say(member, town, "a secret")
    deletions = [_delete(town.client(by), town, said["id"], reason="Secret") for _ in range(3)]
    edits = [_edit(member, town, said["id"], f"a secret {number}") for number in range(5)]
    answers = await asyncio.gather(*edits, *deletions)
    assert {answer.code for answer in answers[:5]} <= {None, "MESSAGE_DELETED"}
    assert {answer.code for answer in answers[5:]} == {None}
    edited = sum(answer.code is None for answer in answers[:5])
    assert await value(town.service.urls, _FACTS, "message.deleted", said["id"]) == 1
    content = await value(town.service.urls, "select content from messages where id = $1", said["id"])
    versions = await ask(town.service.urls, _VERSIONS, said["id"])
    assert content is None
    assert len(versions) == (0 if by == Standing.MEMBER else edited + 1)

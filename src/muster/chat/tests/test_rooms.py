"""Rooms: who sits in one reads and writes there, in one order; nobody else does."""

import pytest

from muster.testing.below import snapshot
from muster.testing.client import Way
from muster.testing.people import Standing
from muster.testing.town import Town

SEATED = (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER)


@pytest.mark.parametrize("way", Way)
async def test_who_sits_in_a_room_reads_what_was_said_in_order(town: Town, way: Way) -> None:
    for number, standing in enumerate(SEATED):
        said = await town.client(standing).call("sendEventMessage", way=way, eventId=town.event_id, content=f"{number}")
        assert said.ok()["author"]["id"] == str(town.people[standing].user_id)
    for standing in SEATED:
        page = (await town.client(standing).call("eventMessages", way=way, eventId=town.event_id)).ok()
        assert [each["sequence"] for each in page["items"]] == [1, 2, 3, 4]
        assert [each["content"] for each in page["items"]][1:] == ["0", "1", "2"]


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    ("standing", "code"),
    [
        (Standing.ANONYMOUS, "UNAUTHENTICATED"),
        (Standing.OUTSIDER, "NOT_IN_ROOM"),
        (Standing.SUSPENDED, "NOT_A_MEMBER"),
        (Standing.OTHER_TENANT, "EVENT_NOT_FOUND"),
    ],
)
async def test_nobody_else_speaks_or_reads(town: Town, way: Way, standing: Standing, code: str) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    said = await town.client(standing).call("sendEventMessage", way=way, eventId=town.event_id, content="Let me in")
    read = await town.client(standing).call("eventMessages", way=way, eventId=town.event_id)
    assert said.code == code
    assert read.missing or read.code == code or read.ok()["items"] == []
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


@pytest.mark.parametrize("way", Way)
async def test_who_waits_or_was_removed_has_no_seat(town: Town, way: Way) -> None:
    for person in (town.waiting, town.kicked):
        said = await person.client.call("sendEventMessage", way=way, eventId=town.event_id, content="Let me in")
        assert said.code == "NOT_IN_ROOM"
        assert (await person.client.call("eventMessages", way=way, eventId=town.event_id)).ok()["items"] == []

"""Share links: who has one sees the hidden event and joins it by its rules; it is worth nothing for anything else."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from muster.events.sharing.keys import known_key
from muster.testing.below import change, snapshot, value
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

_HASH = "select key_hash from event_shares where event_id = $1"
_ID = "select id from event_shares where event_id = $1"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


async def _shared(town: Town, **changes: Any) -> tuple[UUID, str]:
    """A hidden event of the town's moderator with a share link: its id and its key."""
    organiser = town.client(Standing.MODERATOR)
    event_id = await make_event(organiser, visibility="HIDDEN", **changes)
    told = (await organiser.call("shareEvent", eventId=event_id)).ok()
    return event_id, told["key"]


@pytest.mark.parametrize("way", Way)
async def test_a_hidden_event_is_seen_by_its_link_and_by_nothing_else(town: Town, way: Way) -> None:
    event_id, key = await _shared(town)
    for standing in (Standing.ANONYMOUS, Standing.OUTSIDER):
        client = town.client(standing)
        seen = (await client.call("event", way=way, id=event_id, key=key)).ok()
        assert (seen["id"], seen["visibility"]) == (str(event_id), "HIDDEN")
        for wrong in (
            {},
            {"key": ""},
            {"key": key[:-1]},
            {"key": key.swapcase()},
            {"key": await _stored(town, event_id)},
        ):
            assert (await client.call("event", way=way, id=event_id, **wrong)).missing
        assert (await client.call("event", way=way, id=town.hidden_id, key=key)).missing
        assert (await client.call("eventAgenda", way=way, eventId=event_id)).missing
        assert str(event_id) not in str((await client.call("events", way=way, first=100)).ok())
    away = town.client(Standing.OTHER_TENANT)
    assert (await away.call("event", way=way, id=event_id, key=key)).missing


async def test_what_the_event_shows_its_guests_is_shown_by_the_link_and_no_more(town: Town) -> None:
    event_id, key = await _shared(town, membersVisibility="PUBLIC", addressVisibility="AFTER_JOIN")
    document = "query($id: UUID!, $key: String) { event(id: $id, key: $key) { address members { nodes { role } } } }"
    told = await town.client(Standing.OUTSIDER).document(document, id=str(event_id), key=key)
    assert told["data"]["event"] == {"address": None, "members": {"nodes": [{"role": "OWNER"}]}}


async def test_a_link_opens_neither_a_draft_nor_what_is_deleted(town: Town) -> None:
    organiser, outsider = town.client(Standing.MODERATOR), town.client(Standing.OUTSIDER)
    event_id = await make_event(organiser, publish=False)
    key = (await organiser.call("shareEvent", eventId=event_id)).ok()["key"]
    assert (await outsider.call("event", id=event_id, key=key)).missing
    assert (await outsider.call("joinEvent", eventId=event_id, key=key)).code == "EVENT_NOT_FOUND"
    (await organiser.call("deleteEvent", id=event_id)).ok()
    assert (await outsider.call("event", id=event_id, key=key)).missing


async def test_who_has_the_link_joins_by_the_rules(town: Town) -> None:
    event_id, key = await _shared(town, max=2)
    outsider, member = town.client(Standing.OUTSIDER), town.client(Standing.MEMBER)
    for wrong in (None, f"{key}x"):
        assert (await outsider.call("joinEvent", eventId=event_id, key=wrong)).code == "EVENT_NOT_FOUND"
    assert (await outsider.call("joinEvent", eventId=town.hidden_id, key=key)).code == "EVENT_NOT_FOUND"
    # At once, so that they share a transaction; a stranger without the key among them finds nothing.
    calls = [
        outsider.call("joinEvent", eventId=event_id, key=key),
        member.call("joinEvent", eventId=event_id, key=key),
        town.waiting.client.call("joinEvent", eventId=event_id),
    ]
    *joined, refused = await asyncio.gather(*calls)
    assert sorted(each.ok()["status"] for each in joined) == ["JOINED", "WAITLIST"]
    assert refused.code == "EVENT_NOT_FOUND"
    assert (await outsider.call("event", id=event_id)).ok()["id"] == str(event_id)
    closed_id, closed_key = await _shared(town, joinMode="INVITE_ONLY")
    assert (await outsider.call("joinEvent", eventId=closed_id, key=closed_key)).code == "NOT_INVITED"


async def test_a_link_is_the_same_until_it_is_withdrawn(town: Town) -> None:
    organiser, outsider = town.client(Standing.MODERATOR), town.client(Standing.OUTSIDER)
    event_id, key = await _shared(town)
    told = (await organiser.call("shareEvent", eventId=event_id)).ok()
    address = urlsplit(told["url"])
    assert (address.path, parse_qs(address.query)) == (f"/e/{event_id}", {"key": [key]})
    assert told["qr"].startswith("<svg")
    for _ in range(2):
        (await organiser.call("unshareEvent", eventId=event_id)).ok()
    assert (await outsider.call("event", id=event_id, key=key)).missing
    again = (await organiser.call("shareEvent", eventId=event_id)).ok()["key"]
    assert again != key
    assert (await outsider.call("event", id=event_id, key=key)).missing


async def test_of_two_who_share_at_once_both_get_the_one_link(town: Town) -> None:
    organiser = town.client(Standing.MODERATOR)
    event_id = await make_event(organiser, visibility="HIDDEN")
    told = await asyncio.gather(*(organiser.call("shareEvent", eventId=event_id) for _ in range(4)))
    assert len({each.ok()["key"] for each in told}) == 1


async def test_a_copy_of_the_database_makes_no_key(town: Town) -> None:
    event_id, key = await _shared(town)
    stored, share_id = await _stored(town, event_id), await value(town.service.urls, _ID, event_id)
    secrets = town.service.settings.security.secrets
    assert known_key(secrets, share_id, stored) == key
    assert key not in str(await snapshot(town.service.urls))
    # After the secret was changed, and the old one given up, the link still works, and cannot be told any more.
    await change(town.service.urls, "update event_shares set key_hash = $1 where event_id = $2", "0" * 64, event_id)
    other = (await town.client(Standing.MODERATOR).call("shareEvent", eventId=event_id)).ok()["key"]
    assert other != key


@pytest.mark.parametrize("standing", [Standing.ANONYMOUS, Standing.OUTSIDER, Standing.MEMBER, Standing.OTHER_TENANT])
async def test_only_organisers_share_and_withdraw(town: Town, standing: Standing) -> None:
    sees_public = standing in (Standing.OUTSIDER, Standing.MEMBER)
    for event_id, seen in ((town.event_id, sees_public), (town.hidden_id, False)):
        for name in ("shareEvent", "unshareEvent"):
            answer = await town.client(standing).call(name, eventId=event_id)
            refusal = (403, "NOT_ORGANISER") if seen else (404, "EVENT_NOT_FOUND")
            expected = (401, "UNAUTHENTICATED") if standing == Standing.ANONYMOUS else refusal
            assert (answer.status, answer.code) == expected
    assert await _stored(town, town.event_id)
    assert await value(town.service.urls, "select count(*) from event_shares where event_id = $1", town.hidden_id) == 0


async def _stored(town: Town, event_id: UUID) -> Any:
    return await value(town.service.urls, _HASH, event_id)


async def test_a_key_that_cannot_be_one_is_refused(town: Town) -> None:
    client: Client = town.client(Standing.OUTSIDER)
    for answer in (
        await client.call("event", id=town.event_id, key="k" * 101),
        await client.call("joinEvent", eventId=town.event_id, key="k" * 101),
    ):
        assert (answer.status, answer.code) == (422, "VALIDATION_ERROR")

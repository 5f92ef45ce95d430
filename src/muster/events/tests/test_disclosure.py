"""Where an event is and who takes part is shown to whom it says, however one asks."""

from datetime import datetime
from typing import Any

import pytest

from muster.events.letters import MovedMail
from muster.events.reminders.letters import ReminderMail
from muster.events.tests.support import letter_for
from muster.kit.mail.kinds import Mail
from muster.kit.markdown import as_html
from muster.profiles.tables import Disclosure
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town, event_input
from muster.testing.work import working

pytestmark = pytest.mark.asyncio(loop_scope="module")

READERS = (Standing.ANONYMOUS, Standing.OUTSIDER, None, Standing.MEMBER, Standing.MODERATOR, Standing.OWNER)
"""None is who waits for a place."""
EXACT = {"latitude": 52.2345, "longitude": 21.0123, "isPointExact": True}
COARSE = {"latitude": 52.25, "longitude": 21.0, "isPointExact": False}
PLACE = {"address": "Market Square 1", "place": "The old cinema", "placeId": "node/240949599"}
NO_PLACE = dict.fromkeys(PLACE)
MIDDLE = {"latitude": 52.2345, "longitude": 21.0123}


def _client(town: Town, reader: Standing | None) -> Client:
    return town.waiting.client if reader is None else town.client(reader)


def _is_shown(disclosure: Disclosure, reader: Standing | None) -> bool:
    seated = (Standing.MEMBER, Standing.MODERATOR, Standing.OWNER)
    return {
        Disclosure.PUBLIC: True,
        Disclosure.AFTER_JOIN: reader in seated,
        Disclosure.HIDDEN: reader in seated[1:],
    }[disclosure]


async def _set(town: Town, **changes: object) -> None:
    (await town.client(Standing.OWNER).call("updateEvent", id=town.event_id, input=changes)).ok()


@pytest.mark.parametrize("disclosure", Disclosure)
async def test_every_reader_and_every_field_of_the_place(module_town: Town, disclosure: Disclosure) -> None:
    await _set(module_town, addressVisibility=disclosure, **{**PLACE, **MIDDLE})
    for reader in READERS:
        for way in Way:
            seen: dict[str, Any] = (
                await _client(module_town, reader).call("event", way=way, id=module_town.event_id)
            ).ok()
            shown = _is_shown(disclosure, reader)
            seated = reader not in READERS[:3]
            expected = {**(PLACE if shown else NO_PLACE), **(EXACT if shown else COARSE)}
            expected["onlineUrl"] = "https://meet.example/games" if shown and seated else None
            told = {name: seen[name] for name in expected}
            assert told == expected, (disclosure, reader, way)
            # The town it is in is nobody's secret.
            assert (seen["city"], seen["addressVisibility"]) == ("Warsaw", disclosure)


async def test_a_hidden_point_cannot_be_felt_for(module_town: Town) -> None:
    """Circles that hold the coarse point hold the event, whatever the exact one is; so do distances and cursors."""
    outsider, own = module_town.client(Standing.OUTSIDER), str(module_town.event_id)

    async def found(latitude: float, longitude: float, radius: float) -> dict[str, Any] | None:
        near = {"latitude": latitude, "longitude": longitude, "radiusKm": radius}
        listed = (await outsider.call("events", filter={"near": near}, order="DISTANCE")).ok()["items"]
        return next((each for each in listed if each["id"] == own), None)

    distances = set()
    for latitude, longitude in ((52.2345, 21.0123), (52.2601, 20.9805), (52.2251, 21.0384)):
        await _set(module_town, addressVisibility="HIDDEN", latitude=latitude, longitude=longitude)
        assert await found(latitude, longitude, 0.5) is None
        at_coarse = await found(COARSE["latitude"], COARSE["longitude"], 0.001)
        assert at_coarse is not None
        assert (at_coarse["latitude"], at_coarse["longitude"], at_coarse["distanceKm"]) == (52.25, 21.0, 0)
        elsewhere = await found(52.0, 21.0, 100)
        assert elsewhere is not None
        distances.add(elsewhere["distanceKm"])
    assert len(distances) == 1
    # Who may see the place finds it by the same coarse point: a list is one for all.
    (listed,) = (
        await module_town.client(Standing.MODERATOR).call(
            "events", filter={"near": {"latitude": 52.25, "longitude": 21.0, "radiusKm": 0.01}}
        )
    ).ok()["items"]
    assert (listed["latitude"], listed["distanceKm"]) == (52.2251, 0)


@pytest.mark.parametrize(
    ("latitude", "longitude"), [(90.0, 180.0), (-90.0, -180.0), (0.0, 179.999), (89.97, 13.3), (1e-300, -1e-300)]
)
async def test_a_coarse_point_is_one_on_earth(module_town: Town, latitude: float, longitude: float) -> None:
    await _set(module_town, addressVisibility="HIDDEN", latitude=latitude, longitude=longitude)
    seen = (await module_town.client(Standing.OUTSIDER).call("event", id=module_town.event_id)).ok()
    assert abs(seen["latitude"] - latitude) <= 0.025
    assert abs(seen["latitude"]) <= 90
    assert abs(seen["longitude"]) <= 180
    near = {"latitude": seen["latitude"], "longitude": seen["longitude"], "radiusKm": 0.01}
    listed = (await module_town.client(Standing.OUTSIDER).call("events", filter={"near": near})).ok()["items"]
    assert str(module_town.event_id) in {each["id"] for each in listed}


@pytest.mark.parametrize("disclosure", Disclosure)
async def test_every_reader_of_who_takes_part(module_town: Town, disclosure: Disclosure) -> None:
    await _set(module_town, membersVisibility=disclosure)
    owner, waiting = module_town.people[Standing.OWNER], module_town.waiting
    for reader in READERS:
        client, shown = _client(module_town, reader), _is_shown(disclosure, reader)
        listed = (await client.call("eventMembers", eventId=module_town.event_id)).ok()["items"]
        joined = {each["user"]["name"] for each in listed if each["status"] == "JOINED"}
        own = set() if reader in READERS[:3] else {module_town.people[reader].name}
        assert (joined if not shown else joined >= {owner.name}) == (own if not shown else True), (disclosure, reader)
        assert (waiting.name in {each["user"]["name"] for each in listed}) == (reader in (None, *READERS[4:]))
        one = await client.call("eventMember", eventId=module_town.event_id, userId=owner.user_id)
        assert one.missing == (not (shown or reader == Standing.OWNER)), (disclosure, reader)
        nested = await client.document(
            "query($id: UUID!) { event(id: $id) { joinedCount members { totalCount nodes { status } } } }",
            id=module_town.event_id,
        )
        members = nested["data"]["event"]["members"]
        assert members["totalCount"] == len(members["nodes"]) == len(listed)
        assert nested["data"]["event"]["joinedCount"] == 3


async def test_new_events_begin_as_their_organiser_prefers(module_town: Town) -> None:
    owner = module_town.client(Standing.OWNER)
    preferred = {"defaultAddressVisibility": "AFTER_JOIN", "defaultMembersVisibility": "HIDDEN"}
    assert preferred.items() <= (await owner.call("updateMyProfile", input=preferred)).ok().items()
    made = (await owner.call("createEvent", input=event_input(membersVisibility="PUBLIC"))).ok()
    plain = (await owner.call("createEvent", input=event_input())).ok()
    shown = [(each["addressVisibility"], each["membersVisibility"]) for each in (made, plain)]
    assert shown == [("AFTER_JOIN", "PUBLIC"), ("AFTER_JOIN", "HIDDEN")]
    other = await module_town.client(Standing.OUTSIDER).call(
        "profileOfUser", userId=module_town.people[Standing.OWNER].user_id
    )
    assert other.ok()["defaultAddressVisibility"] is None


@pytest.mark.parametrize("disclosure", Disclosure)
async def test_a_letter_names_the_place_to_whom_the_event_does(module_town: Town, disclosure: Disclosure) -> None:
    await _set(module_town, addressVisibility=disclosure, latitude=52.2, longitude=21.0, **PLACE)
    starts_at = datetime.fromisoformat(
        (await module_town.client(Standing.OWNER).call("event", id=module_town.event_id)).ok()["startsAt"]
    )
    mails: list[Mail] = [
        MovedMail(event_id=module_town.event_id),
        ReminderMail(event_id=module_town.event_id, starts_at=starts_at),
    ]
    for reader in (Standing.MEMBER, Standing.MODERATOR):
        person = module_town.people[reader]
        async with working(module_town.service.urls) as work:
            letters = [await letter_for(work, module_town, mail, person) for mail in mails]
        for letter in letters:
            assert letter is not None
            assert ("Market Square 1" in " ".join(letter.paragraphs)) == _is_shown(disclosure, reader)
            assert "Warsaw" in " ".join(letter.paragraphs)


HOSTILE = {
    "<script>alert(1)</script>": "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n",
    "[x](javascript:alert(1))": "<p>[x](javascript:alert(1))</p>\n",
    "![x](https://spy.example/p.gif)": '<p>!<a href="https://spy.example/p.gif" rel="nofollow ugc noopener noreferrer">x</a></p>\n',
    "**Bring** a friend": "<p><strong>Bring</strong> a friend</p>\n",
}


async def test_a_description_is_markdown_that_does_nothing(module_town: Town) -> None:
    owner = module_town.client(Standing.OWNER)
    for written, html in HOSTILE.items():
        changed = (await owner.call("updateEvent", id=module_town.event_id, input={"description": written})).ok()
        assert (changed["description"], changed["descriptionHtml"]) == (written, html)
        made = (await owner.call("createEvent", input=event_input(description=written))).ok()
        assert made["descriptionHtml"] == html == as_html(written)
    kept = (await owner.call("updateEvent", id=module_town.event_id, input={"title": "Another title"})).ok()
    assert kept["descriptionHtml"] == html

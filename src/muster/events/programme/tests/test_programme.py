"""Agenda, questions often asked, resources: written as a whole by organisers, read by whoever sees the event."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from muster.events.tests.support import at_once
from muster.testing.below import snapshot, value
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town

_ITEM = {"title": "Opening game", "startsAt": "2031-05-01T18:00:00Z", "endsAt": "2031-05-01T19:00:00Z"}
_FAQ = {"question": "Are there boards?", "answer": "Twenty."}
_RULES = {"title": "The rules", "url": "https://chess.example/rules"}


_AGENDA = """
query Agenda($id: UUID!) {
  eventAgenda(eventId: $id) { nodes { title hosts { nodes { name user { name } } } } }
}
"""


async def _agenda(client: Client, event_id: UUID) -> list[tuple[str, list[str]]]:
    """The titles of an agenda, and the names of its hosts."""
    found = (await client.document(_AGENDA, id=str(event_id)))["data"]["eventAgenda"]["nodes"]
    return [
        (each["title"], [host["name"] or host["user"]["name"] for host in each["hosts"]["nodes"]]) for each in found
    ]


async def test_an_agenda_is_read_in_the_order_it_was_written_in(town: Town) -> None:
    owner, member = town.people[Standing.OWNER], town.people[Standing.MEMBER]
    hosts = [{"userId": member.user_id}, {"name": "Grandmaster Ada"}]
    items = [{**_ITEM, "hosts": hosts}, {"title": "Tea"}, {**_ITEM, "title": "Second game"}]
    before = (await owner.client.call("event", id=town.event_id)).ok()["version"]
    after = (
        await owner.client.call("updateEventProgramme", id=town.event_id, input={"agenda": items, "version": before})
    ).ok()
    assert after["version"] == before + 1
    outsider = town.client(Standing.ANONYMOUS)
    read = await _agenda(outsider, town.event_id)
    assert read == [("Opening game", [member.name, "Grandmaster Ada"]), ("Tea", []), ("Second game", [])]
    (await owner.client.call("updateEventProgramme", id=town.event_id, input={"agenda": [{"title": "Only tea"}]})).ok()
    assert await _agenda(outsider, town.event_id) == [("Only tea", [])]
    assert await value(town.service.urls, "select count(*) from event_agenda_hosts") == 0


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    ("items", "path"),
    [
        ([{"title": "ab"}], "agenda[0].title"),
        ([_ITEM, {**_ITEM, "endsAt": None}], "agenda[1].endsAt"),
        ([{**_ITEM, "endsAt": _ITEM["startsAt"]}], "agenda[0].endsAt"),
        ([{**_ITEM, "hosts": [{}]}], "agenda[0].hosts[0]"),
        ([{**_ITEM, "hosts": [{"name": " "}]}], "agenda[0].hosts[0].name"),
        ([{**_ITEM, "hosts": [{"userId": str(uuid4())}]}], "agenda[0].hosts[0].userId"),
        ([{**_ITEM, "description": "x" * 1001}], "agenda[0].description"),
        ([{**_ITEM, "hosts": [{"name": "A"}] * 11}], "agenda[0].hosts"),
        ([_ITEM] * 51, "agenda"),
    ],
)
async def test_what_no_agenda_may_say_is_named(town: Town, way: Way, items: list[Any], path: str) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    owner = town.people[Standing.OWNER].client
    answer = await owner.call("updateEventProgramme", way=way, id=town.event_id, input={"agenda": items})
    assert answer.status in (400, 422)
    assert path in answer.problem["detail"] or path in [each["path"] for each in answer.problem["errors"]]
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


async def test_a_member_is_host_of_a_point_once(town: Town) -> None:
    host = {"userId": town.people[Standing.MEMBER].user_id}
    change = {"agenda": [{**_ITEM, "hosts": [host, host]}]}
    answer = await town.people[Standing.OWNER].client.call("updateEventProgramme", id=town.event_id, input=change)
    assert (answer.status, answer.problem["errors"][0]["path"]) == (422, "agenda[0].hosts[0].userId")


async def test_faqs_and_resources_are_replaced_as_a_whole(town: Town) -> None:
    owner, reader = town.people[Standing.OWNER].client, town.people[Standing.OUTSIDER].client
    for faqs in ([_FAQ, {**_FAQ, "question": "Is there tea?"}], [_FAQ], []):
        (await owner.call("updateEventProgramme", id=town.event_id, input={"faqs": faqs})).ok()
        read = (await reader.call("eventFaqs", eventId=town.event_id)).ok()["items"]
        assert [each["question"] for each in read] == [each["question"] for each in faqs]
    for addresses in ([_RULES, {**_RULES, "title": "The park"}], []):
        (await owner.call("updateEventProgramme", id=town.event_id, input={"resources": addresses})).ok()
        read = (await reader.call("eventResources", eventId=town.event_id)).ok()["items"]
        assert [each["title"] for each in read] == [each["title"] for each in addresses]
    unsafe = {**_RULES, "url": "javascript:alert(1)"}
    refused = await owner.call("updateEventProgramme", id=town.event_id, input={"resources": [unsafe]})
    assert (refused.status, refused.problem["errors"][0]["path"]) == (422, "resources[0].url")


async def test_what_is_for_who_has_a_place_is_shown_to_nobody_else(town: Town) -> None:
    shared = [_RULES, {**_RULES, "title": "The password", "audience": "JOINED"}]
    owner = town.people[Standing.OWNER].client
    (await owner.call("updateEventProgramme", id=town.event_id, input={"resources": shared})).ok()
    for standing in Standing:
        answer = await town.client(standing).call("eventResources", eventId=town.event_id)
        seen = [each["title"] for each in answer.ok()["items"]] if answer.status == 200 else None
        joined = standing in (Standing.OWNER, Standing.MODERATOR, Standing.MEMBER)
        assert seen in (["The rules", "The password"] if joined else ["The rules"], None), standing
        assert seen is not None or not joined


async def test_only_organisers_write_and_nobody_reads_of_what_they_do_not_see(town: Town) -> None:
    change = {"agenda": [_ITEM], "faqs": [_FAQ], "resources": [_RULES]}
    denied = await town.people[Standing.MEMBER].client.call("updateEventProgramme", id=town.event_id, input=change)
    assert (denied.status, denied.problem["code"]) == (403, "NOT_ORGANISER")
    hidden = await town.people[Standing.OUTSIDER].client.call("updateEventProgramme", id=town.draft_id, input=change)
    assert (hidden.status, hidden.problem["code"]) == (404, "EVENT_NOT_FOUND")
    (await town.people[Standing.OWNER].client.call("updateEventProgramme", id=town.draft_id, input=change)).ok()
    for name in ("eventAgenda", "eventFaqs", "eventResources"):
        unseen = await town.people[Standing.OUTSIDER].client.call(name, eventId=town.draft_id)
        assert unseen.status == 404


async def test_of_two_who_write_from_one_version_one_does(town: Town) -> None:
    owner, moderator = town.people[Standing.OWNER].client, town.people[Standing.MODERATOR].client
    version = (await owner.call("event", id=town.event_id)).ok()["version"]
    answers = await at_once(
        *(
            client.call(
                "updateEventProgramme",
                id=town.event_id,
                input={"faqs": [{**_FAQ, "question": who}], "version": version},
            )
            for client, who in ((owner, "owner"), (moderator, "moderator"))
        )
    )
    assert sorted(each.status for each in answers) == [200, 412]
    assert len((await owner.call("eventFaqs", eventId=town.event_id)).ok()["items"]) == 1


async def test_of_a_cancelled_event_nothing_changes(town: Town) -> None:
    owner = town.people[Standing.OWNER].client
    (await owner.call("cancelEvent", id=town.event_id)).ok()
    refused = await owner.call("updateEventProgramme", id=town.event_id, input={"faqs": [_FAQ]})
    assert (refused.status, refused.problem["code"]) == (409, "EVENT_CANCELLED")

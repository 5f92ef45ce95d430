"""`If-Match`: of several who change what they have all read the same, one does; who may not, learns nothing by it."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
import pytest_asyncio

from muster.identity.views import OpenSessionView
from muster.kit.commands.command import COMMANDS
from muster.kit.endpoints.rest.conditions import check_overwrites
from muster.kit.endpoints.rest.location import read_back
from muster.testing.below import snapshot
from muster.testing.client import Client
from muster.testing.matrix import examples
from muster.testing.people import Standing, founder_of, put_role
from muster.testing.town import Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "/api/v1/events"
WRITERS = 8


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@pytest.fixture
def owner(town: Town) -> Client:
    return town.client(Standing.OWNER)


async def _tag(client: Client, address: str) -> str:
    # A packed answer has a tag of its own, which means the same.
    response = await client.service.http.get(address, headers={**client.headers(), "accept-encoding": "identity"})
    tag: str = response.headers["etag"]
    return tag


async def _send(client: Client, method: str, address: str, tag: str, body: object = None) -> httpx.Response:
    given = {**client.headers(), "if-match": tag}
    return await client.service.http.request(method, address, json=body, headers=given)


async def _race(client: Client, method: str, address: str, tag: str, *bodies: object) -> httpx.Response:
    """Sends all at once; the answer of the one that was done."""
    answers = await asyncio.gather(*(_send(client, method, address, tag, each) for each in bodies))
    statuses = sorted(each.status_code for each in answers)
    assert statuses == [200, *[412] * (len(bodies) - 1)]
    now = await _tag(client, address)
    refused = [each for each in answers if each.status_code == 412]
    assert {each.json()["code"] for each in refused} == {"PRECONDITION_FAILED"}
    assert {each.headers["etag"] for each in refused} == {each.json()["etag"] for each in refused} == {now}
    return next(each for each in answers if each.status_code == 200)


async def test_of_many_who_read_the_same_one_changes_it(owner: Client) -> None:
    address = f"{EVENTS}/{await make_event(owner)}"
    for lap in range(3):
        tag = await _tag(owner, address)
        # The title that it has already would change nothing, and be no reason to refuse the next.
        done = await _race(owner, "PATCH", address, tag, *({"title": f"Lap {lap}, {n}"} for n in range(WRITERS)))
        assert done.json()["version"] == int(tag[1:].partition("-")[0]) + 1
        assert done.headers["etag"] == await _tag(owner, address)


async def test_the_same_where_no_version_is_counted(town: Town, owner: Client) -> None:
    messages = f"{EVENTS}/{town.event_id}/messages"
    said = (await owner.call("sendEventMessage", eventId=town.event_id, content="First words")).ok()
    address = f"{messages}/{said['id']}"
    bodies = [{"content": f"Words {number}"} for number in range(5)]
    await _race(owner, "PATCH", address, await _tag(owner, address), *bodies)


async def test_who_comes_and_goes_changes_nothing_of_it(town: Town, owner: Client) -> None:
    event_id = await make_event(owner)
    tag = await _tag(owner, f"{EVENTS}/{event_id}")
    (await town.client(Standing.MEMBER).call("joinEvent", eventId=event_id)).ok()
    assert await _tag(owner, f"{EVENTS}/{event_id}") != tag
    assert (await _send(owner, "PATCH", f"{EVENTS}/{event_id}", tag, {"title": "Still so"})).status_code == 200


async def test_what_was_read_another_way_is_the_same_thing(owner: Client) -> None:
    address = f"{EVENTS}/{await make_event(owner)}"
    tag = await _tag(owner, f"{address}?include=members.user,owner")
    assert tag != await _tag(owner, address)
    assert (await _send(owner, "PATCH", address, tag, {"title": "Seen with its members"})).status_code == 200


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ("*", 200),
        ("{tag}", 200),
        ('"another", {tag}', 200),
        ('"another",{tag} , W/"weak"', 200),
        ("W/{tag}", 412),
        ('"another"', 412),
        ('""', 412),
        ('"0-{digest}"', 412),
        ("", 400),
        ("7", 400),
        ("{tag} {tag}", 400),
        ('*, "another"', 400),
        ('"open', 400),
        ('w/"small"', 400),
        ('"a", ' * 400 + "{tag}", 400),
    ],
)
async def test_what_a_client_may_say(given: str, status: int, owner: Client) -> None:
    address = f"{EVENTS}/{await make_event(owner)}"
    tag = await _tag(owner, address)
    said = given.replace("{tag}", tag).replace("{digest}", tag.partition("-")[2].strip('"'))
    response = await _send(owner, "PATCH", address, said, {"title": "Another title"})
    assert response.status_code == status, response.text
    if status == 400:
        assert [each["path"] for each in response.json()["errors"]] == ["If-Match"]
    assert (await _tag(owner, address) == tag) == (status != 200)


@pytest.mark.parametrize(
    ("standing", "event", "body", "status"),
    [
        (Standing.ANONYMOUS, "event_id", {"title": "Not mine"}, 401),
        (Standing.OTHER_TENANT, "event_id", {"title": "Not mine"}, 404),
        (Standing.OUTSIDER, "hidden_id", {"title": "Not mine"}, 404),
        (Standing.MEMBER, "event_id", {"title": "Not mine"}, 403),
        (Standing.OWNER, "event_id", {"title": "x"}, 422),
        (Standing.OWNER, "event_id", {"endsAt": "2001-01-01T00:00:00Z"}, 422),
        (Standing.OWNER, "event_id", {"title": "Mine"}, 412),
    ],
)
async def test_who_may_not_is_told_that_first(
    standing: Standing, event: str, body: object, status: int, town: Town
) -> None:
    address = f"{EVENTS}/{getattr(town, event)}"
    before = await snapshot(town.service.urls, without=["audit_rows"])
    response = await _send(town.client(standing), "PATCH", address, '"1-stale"', body)
    assert response.status_code == status, response.text
    assert ("etag" in response.headers) == (status == 412)
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


def _with_ids(town: Town, name: str) -> dict[str, Any]:
    """Arguments with which the town's owner may call a command."""
    member_id = town.people[Standing.MEMBER].user_id
    ids: dict[str, UUID] = {"eventId": town.event_id, "teamId": town.team_id, "userId": member_id}
    places = COMMANDS[name].route.places
    of_event = town.event_id if name == "cancelEvent" else town.draft_id
    of_tenant = name.endswith(("Tenant", "Ownership"))
    ids["id"] = town.message_id if "event_id" in places else town.tenant_id if of_tenant else of_event
    of_team = {"Team": town.team_id, "TeamRequest": town.request_id}
    ids["id"] = next((each for ending, each in of_team.items() if name.endswith(ending)), ids["id"])
    given = {
        key: ids[key] for key in ("id", "eventId", "teamId", "userId") if f"{{{key}}}" in COMMANDS[name].route.template
    }
    return {**examples(COMMANDS[name]), **given}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def founder(town: Town) -> Client:
    """Whose the community is, with a role, and somebody who has just shown who they are."""
    await put_role(town.service, town.tenant_id, "greeter", base="participant")
    return (await founder_of(town.service, town.tenant_id)).client


_OUT_OF_REACH = {
    "acceptInvitation": "nobody is invited",
    "declineEventInvitation": "nobody is invited",
    "acceptMailedInvitation": "nobody is invited",
    "acceptEventOwnership": "nobody is offered it",
    "acceptOwnership": "nobody is offered it",
    "archiveTenant": "the default community stays open",
    "changeEventOwner": "whom it is given to does not stand in its address",
    "deleteTenant": "the default community stays open",
    "offerEventOwnership": "whom it is offered to does not stand in its address",
    "offerOwnership": "whom it is offered to does not stand in its address",
    "rejectEventRequest": "nobody asks",
    "renameApiKey": "nobody has one",
    "renameServiceAccount": "there is none",
    "renamePasskey": "nobody has one",
    "resendInvitation": "nobody is invited",
    **dict.fromkeys(("cancelSeries", "joinSeries", "leaveSeries", "updateSeries"), "there is none of the id at hand"),
    "restoreTenant": "it is not about to be deleted",
    "resumeTenant": "for the platform's staff",
    "revokeEventInviteLink": "its link does not stand in its address",
    "revokeInvitation": "nobody is invited",
    "updateEventInviteLink": "its link does not stand in its address",
    "suspendTenant": "for the platform's staff",
    "updateTopic": "its address names a topic",
    "unbanMember": "nobody is banned",
}
"""Commands that are refused in this town for a reason of their own, before or after their condition is looked at."""


@pytest.mark.parametrize("name", [name for name, each in COMMANDS.items() if read_back(each) is not None])
async def test_every_command_about_what_can_be_read_takes_a_condition(name: str, town: Town, founder: Client) -> None:
    before = await snapshot(town.service.urls, without=["audit_rows"])
    statuses = []
    for client in (town.client(Standing.OWNER), town.client(Standing.MEMBER), founder):
        request = client.request(name, msgspec.to_builtins(_with_ids(town, name)))
        request.headers["if-match"] = '"stale"'
        statuses.append((await client.service.http.send(request)).status_code)
    assert (412 in statuses) == (name not in _OUT_OF_REACH)
    assert 400 not in statuses
    assert min(statuses) >= 400
    assert await snapshot(town.service.urls, without=["audit_rows"]) == before


@pytest.mark.parametrize("name", ["createEvent", "sendEventMessage", "logout"])
async def test_where_there_is_nothing_to_compare_it_is_refused(name: str, town: Town, owner: Client) -> None:
    request = owner.request(name, msgspec.to_builtins(_with_ids(town, name)))
    request.headers["if-match"] = "*"
    response = await owner.service.http.send(request)
    assert (response.status_code, response.json()["errors"][0]["path"]) == (400, "If-Match")


async def test_what_can_be_overwritten_must_be_readable() -> None:
    unreadable = replace(COMMANDS["updateEvent"], returns=OpenSessionView)
    with pytest.raises(TypeError, match="updateEvent overwrites"):
        check_overwrites(unreadable)


async def test_what_is_not_there_meets_no_condition(town: Town, owner: Client) -> None:
    event_id = await make_event(owner)
    outsider, address = town.client(Standing.OUTSIDER), f"{EVENTS}/{event_id}/members"
    refused = await _send(outsider, "POST", address, "*")
    assert (refused.status_code, "etag" in refused.headers) == (412, False)
    assert (await outsider.call("myMembershipForEvent", eventId=event_id)).missing


async def test_a_batch_takes_a_condition_for_each(owner: Client) -> None:
    first, second = [f"{EVENTS}/{await make_event(owner)}" for _ in range(2)]
    tags = await _tag(owner, first), await _tag(owner, second)

    async def batch(*given: str | None) -> httpx.Response:
        operations = [
            {"method": "PATCH", "path": path, "body": {"title": "As one"}, "ifMatch": tag}
            for path, tag in zip((first, second), given, strict=True)
        ]
        return await owner.service.http.post("/api/v1/batch", json={"operations": operations}, headers=owner.headers())

    refused = await batch(tags[0], '"0-stale"')
    assert (refused.status_code, refused.json()["operation"]["index"]) == (412, 1)
    assert refused.json()["etag"] == tags[1]
    malformed = await batch(None, "stale")
    assert (malformed.status_code, malformed.json()["errors"][0]["path"]) == (400, "ifMatch")
    assert (await _tag(owner, first), await _tag(owner, second)) == tags
    assert (await batch(*tags)).status_code == 200


async def test_a_repeat_is_answered_though_its_tag_is_old_by_then(owner: Client) -> None:
    event_id = await make_event(owner)
    address, keyed = f"{EVENTS}/{event_id}", owner.with_key(f"once-{event_id}")
    tag, change = await _tag(owner, address), {"title": "Said once"}
    first = await _send(keyed, "PATCH", address, tag, change)
    again = await _send(keyed, "PATCH", address, tag, change)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == first.json()
    other = await _send(keyed, "PATCH", address, "*", change)
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")

"""REST by HTTP's own rules: methods, media types, tags of answers, addresses of what was made, and widened reads."""

import re

import httpx
import msgspec
import pytest
import pytest_asyncio

from muster.kit.commands.command import COMMANDS
from muster.kit.endpoints.rest.include import relations
from muster.kit.text import camel
from muster.kit.views.query import QUERIES
from muster.testing.client import Client, document_for, endpoint
from muster.testing.described import assert_described
from muster.testing.matrix import examples, places, required
from muster.testing.people import Standing, founder_of
from muster.testing.town import Town, event_input, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "/api/v1/events"


@pytest.fixture(scope="module")
def town(module_town: Town) -> Town:
    return module_town


@pytest.fixture
def member(town: Town) -> Client:
    return town.client(Standing.MEMBER)


async def _ask(client: Client, method: str, address: str, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.service.http.request(method, address, headers={**client.headers(), **given})


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        (EVENTS, "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/events/{id}/members/me", "DELETE, GET, HEAD, OPTIONS"),
        ("/api/v1/auth/login", "OPTIONS, POST"),
    ],
)
async def test_an_address_says_what_it_allows(address: str, allowed: str, member: Client) -> None:
    refused = await _ask(member, "PUT", address)
    assert (refused.status_code, refused.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    asked = await _ask(member, "OPTIONS", address)
    assert (asked.status_code, asked.content) == (204, b"")
    assert refused.headers["allow"] == asked.headers["allow"] == allowed


@pytest.mark.parametrize("name", [*COMMANDS, *QUERIES])
async def test_every_operation_keeps_to_the_rules_of_http(name: str, town: Town, member: Client) -> None:
    route = endpoint(name).route
    address = re.sub(r"{\w+}", str(town.event_id), route.template)
    asked = await _ask(member, "OPTIONS", address)
    assert (asked.status_code, route.method in asked.headers["allow"].split(", ")) == (204, True)
    for method in {"PATCH", "PUT", "DELETE", "GET", "TRACE"} - set(asked.headers["allow"].split(", ")):
        refused = await _ask(member, method, address)
        assert (refused.status_code, refused.headers["allow"]) == (405, asked.headers["allow"])
    _assert_refused(await _ask(member, route.method, address, accept="text/csv"), 406, "NOT_ACCEPTABLE")
    _assert_refused(await _ask(member, route.method, f"{address}?x={'x' * 40_000}"), 414, "ADDRESS_TOO_LONG")
    _assert_refused(await _ask(member, route.method, address, x_long="x" * 70_000), 431, "HEADERS_TOO_LARGE")
    if route.sends_body:
        for body, kind, status, code in (
            (b"a=b", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
            (b" " * 1_000_001, "application/json", 413, "PAYLOAD_TOO_LARGE"),
        ):
            headers = {**member.headers(), "content-type": kind}
            sent = await member.service.http.request(route.method, address, content=body, headers=headers)
            _assert_refused(sent, status, code)


def _assert_refused(response: httpx.Response, status: int, code: str) -> None:
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "address",
    [
        *("/", "/docs", "/openapi.json", "/health", "/health/live", "/health/ready", "/api/v1/auth/csrf"),
        *("/api/v1/admin/queues/stats", "/assets/0/no.css", "/graphql", "/verify"),
    ],
)
async def test_what_is_not_declared_keeps_to_the_same_rules(address: str, member: Client) -> None:
    asked = await _ask(member, "OPTIONS", address)
    assert (asked.status_code, asked.content) == (204, b"")
    assert {"GET", "HEAD", "OPTIONS"} <= set(asked.headers["allow"].split(", "))
    for method in ("TRACE", "PROPFIND"):
        refused = await _ask(member, method, address)
        assert (refused.status_code, refused.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
        assert refused.headers["allow"] == asked.headers["allow"]
        assert refused.headers["content-type"] == "application/problem+json"
    got, headed = await _ask(member, "GET", address), await _ask(member, "HEAD", address)
    assert (headed.status_code, headed.content) == (got.status_code, b"")
    assert headed.headers["content-type"] == got.headers["content-type"]


async def test_head_is_get_without_the_body(town: Town, member: Client) -> None:
    for address in (EVENTS, f"{EVENTS}/{town.event_id}", f"{EVENTS}/{town.tenant_id}"):
        got, headed = await _ask(member, "GET", address), await _ask(member, "HEAD", address)
        assert (headed.status_code, headed.content) == (got.status_code, b"")
        assert headed.headers["content-length"] == got.headers["content-length"]
        assert headed.headers.get("etag") == got.headers.get("etag")


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("*/*", 200),
        ("application/*", 200),
        ("application/json", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html, */*;q=0.1", 200),
        ("application/json;charset=utf-8", 200),
        ("text/html", 406),
        ("application/xml, text/*", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*", 406),
    ],
)
async def test_media_types(accept: str, status: int, member: Client) -> None:
    response = await _ask(member, "GET", EVENTS, accept=accept)
    assert response.status_code == status
    expected = "application/json" if status == 200 else "application/problem+json"
    assert response.headers["content-type"] == expected


async def test_what_cannot_be_answered_is_not_done(member: Client) -> None:
    before = (await member.call("events", first=100)).ok()
    refused = await member.service.http.post(
        EVENTS, content=_json(event_input()), headers={**_sending(member), "accept": "text/csv"}
    )
    assert (refused.status_code, refused.json()["code"]) == (406, "NOT_ACCEPTABLE")
    assert (await member.call("events", first=100)).ok() == before


async def test_what_is_known_is_not_sent_again(town: Town, member: Client) -> None:
    for address in (EVENTS, f"{EVENTS}/{town.event_id}"):
        first = await _ask(member, "GET", address, accept_encoding="identity")
        tag = first.headers["etag"]
        assert tag.startswith('"')
        for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = await _ask(member, "GET", address, if_none_match=known)
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == tag
        assert (await _ask(member, "GET", address, if_none_match='"other"')).status_code == 200


async def test_a_tag_changes_with_what_is_read(town: Town) -> None:
    owner = town.client(Standing.OWNER)
    event_id = await make_event(owner)
    address = f"{EVENTS}/{event_id}"
    before = (await _ask(owner, "GET", address)).headers["etag"]
    (await town.client(Standing.MEMBER).call("joinEvent", eventId=event_id)).ok()
    after = await _ask(owner, "GET", address, if_none_match=before)
    assert after.status_code == 200
    assert after.headers["etag"] != before


async def test_personal_answers_are_not_kept(town: Town, member: Client) -> None:
    personal = await _ask(member, "GET", EVENTS)
    public = await _ask(town.client(Standing.ANONYMOUS), "GET", EVENTS)
    assert personal.headers["cache-control"] == "private, no-store"
    assert public.headers["cache-control"] == "no-cache"
    assert (
        public.headers["vary"] == personal.headers["vary"] == "Accept, Accept-Encoding, Authorization, Cookie, X-Tenant"
    )


_MADE_ELSEWHERE = {
    "createServiceKey": "for a service account, which a town has none of: see test_services",
    "addPasskey": "its credential is a device's: see test_passkeys",
    "impersonate": "for the platform's staff: see test_impersonation",
    "joinByInviteLink": "by the code of a link: see test_links",
    "acceptEventInvitation": "for who is invited: see test_invitations",
}
"""Commands whose example nobody of a town can use."""
_WITHOUT_ADDRESS = {
    "addDomain": "domains are read as a list",
    "blockUser": "blocks are read as a list",
    "createApiKey": "its secret is told this once, and the rest by the id beside it",
    "createInvitationLink": "its token is told this once, and the rest by the id beside it",
    "inviteToEvent": "invitations into events are read as a list",
    "openCalendar": "its address is told this once, and calendars are read as a list",
}
"""Commands that make what no address reads as it was told, and why."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def founder(town: Town) -> Client:
    """Whose the community is."""
    return (await founder_of(town.service, town.tenant_id)).client


@pytest.mark.parametrize(
    "name", [name for name, each in COMMANDS.items() if 201 in each.answers and name not in _MADE_ELSEWHERE]
)
async def test_who_makes_something_reads_it_at_the_address_they_are_told(
    town: Town, founder: Client, name: str
) -> None:
    command = COMMANDS[name]
    somebody = town.waiting if name == "inviteToTeam" else town.people[Standing.MEMBER]
    ids = {"eventId": town.event_id, "teamId": town.choir_id, "userId": somebody.user_id}
    named = {place.path: ids[place.path] for place in places(command) if required(command, place)}
    given = msgspec.to_builtins({**examples(command), **named})
    if name == "inviteToEvent":
        # A person or a mail address, so that neither is required.
        given["email"] = "guest@example.org"
    for client in (town.client(Standing.OWNER), town.client(Standing.OUTSIDER), founder):
        made = await client.service.http.send(client.request(name, given))
        if made.status_code == 201:
            assert ("location" in made.headers) == (name not in _WITHOUT_ADDRESS)
            if "location" in made.headers:
                assert (await _ask(client, "GET", made.headers["location"])).json() == made.json()
            return
    pytest.fail(f"nobody could make anything by {name}")


async def test_what_was_there_already_gets_no_address(town: Town, member: Client) -> None:
    again = await _ask(member, "POST", f"{EVENTS}/{town.event_id}/members")
    assert again.status_code == 200
    assert "location" not in again.headers


async def test_include_widens_a_read(town: Town, member: Client) -> None:
    address = f"{EVENTS}/{town.event_id}"
    plain = (await _ask(member, "GET", address)).json()
    wide = (await _ask(member, "GET", f"{address}?include=owner,members.user")).json()
    members = wide.pop("members")
    assert wide.pop("owner").items() >= plain.pop("owner").items()
    assert wide == plain
    listed = (await _ask(member, "GET", f"{address}/members")).json()
    assert [each["id"] for each in members["items"]] == [each["id"] for each in listed["items"]]
    assert members["pageInfo"] == {"hasNextPage": False}
    mine = next(each["user"] for each in members["items"] if each["user"]["id"] == str(_id(town)))
    assert mine["email"] is not None


async def test_include_widens_a_list(town: Town, member: Client) -> None:
    plain = (await _ask(member, "GET", EVENTS)).json()
    wide = (await _ask(member, "GET", f"{EVENTS}?include=members")).json()
    assert wide["pageInfo"] == plain["pageInfo"]
    for narrow, found in zip(plain["items"], wide["items"], strict=True):
        members = found.pop("members")["items"]
        assert found == narrow
        # The kicked and the waiting are members too; who is seated is counted.
        assert sum(each["status"] == "JOINED" for each in members) == narrow["joinedCount"]


async def test_include_shows_no_more_than_the_list_does(town: Town) -> None:
    for standing in Standing:
        client = town.client(standing)
        for event_id in (town.event_id, town.hidden_id, town.draft_id):
            wide = await _ask(client, "GET", f"{EVENTS}/{event_id}?include=members.user")
            listed = await _ask(client, "GET", f"{EVENTS}/{event_id}/members")
            assert wide.status_code == listed.status_code
            if wide.status_code == 200:
                shown = [each["id"] for each in wide.json()["members"]["items"]]
                assert shown == [each["id"] for each in listed.json()["items"]]


@pytest.mark.parametrize(
    "name", ["", "colour", "members.user.email", "members.", ".user", "owner,", "members,,owner", "title"]
)
async def test_what_cannot_be_included_is_named(name: str, member: Client) -> None:
    response = await _ask(member, "GET", f"{EVENTS}?include={name}")
    told = response.json()
    assert (response.status_code, told["code"]) == (422, "VALIDATION_ERROR")
    assert [each["path"] for each in told["errors"]] == ["include"]
    assert all(each in told["detail"] for each in relations(QUERIES["events"].view))


async def test_include_has_a_limit(member: Client) -> None:
    assert (await _ask(member, "GET", f"{EVENTS}?first=20&include=members")).status_code == 200
    response = await _ask(member, "GET", f"{EVENTS}?first=100&include=members.user")
    told = response.json()
    assert (response.status_code, [each["path"] for each in told["errors"]]) == (400, ["include"])
    assert "smaller pages" in told["detail"]


@pytest.mark.parametrize("name", [name for name, each in QUERIES.items() if each.paged])
async def test_a_list_is_counted_on_demand(name: str, town: Town) -> None:
    ids = {"eventId": str(town.event_id), "messageId": str(town.message_id), "userId": str(_id(town))}
    # Of an invitation nobody here has one; one that is not there is refused the same either way.
    given = {camel(place): ids.get(camel(place), str(town.event_id)) for place in QUERIES[name].route.places}
    for standing in (Standing.OWNER, Standing.MEMBER, Standing.ANONYMOUS):
        client = town.client(standing)
        request = client.request(name, {**given, "first": 1})
        counted = await client.service.http.send(client.request(name, {**given, "first": 1, "totalCount": True}))
        plain = await client.service.http.send(request)
        assert counted.status_code == plain.status_code
        if plain.status_code == 200:
            assert_described(name, counted)
            document = document_for(name, given).replace("items: nodes {", "totalCount items: nodes {")
            told = (await client.document(document, **given))["data"]["answer"]
            assert counted.json() == {**plain.json(), "totalCount": told["totalCount"]}


async def test_a_count_goes_with_what_is_included_and_filtered(town: Town, member: Client) -> None:
    address = f"{EVENTS}?include=members&totalCount=true&startsAfter=2999-01-01T00:00:00Z"
    assert (await _ask(member, "GET", address)).json()["totalCount"] == 0
    plain = await _ask(member, "GET", f"{EVENTS}?totalCount=false")
    assert "totalCount" not in plain.json()


@pytest.mark.parametrize("value", ["", "yes", "1", "TRUE", "null"])
async def test_what_is_neither_true_nor_false_is_named(value: str, town: Town, member: Client) -> None:
    refused = await _ask(member, "GET", f"{EVENTS}?totalCount={value}")
    assert (refused.status_code, [each["path"] for each in refused.json()["errors"]]) == (422, ["totalCount"])
    single = await _ask(member, "GET", f"{EVENTS}/{town.event_id}?totalCount=true")
    assert (single.status_code, [each["path"] for each in single.json()["errors"]]) == (422, ["totalCount"])


def _id(town: Town) -> object:
    return town.people[Standing.MEMBER].user_id


def _sending(client: Client) -> dict[str, str]:
    return {**client.headers(), "content-type": "application/json"}


def _json(value: object) -> bytes:
    return msgspec.json.encode(value)

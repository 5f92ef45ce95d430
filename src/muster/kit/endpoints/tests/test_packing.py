"""What reads answer is packed for clients that take it, is the same thing then, and tells a listener nothing."""

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from muster.kit.endpoints.accept import takes_gzip
from muster.kit.endpoints.packing import LEAST
from muster.testing.client import Client
from muster.testing.people import Standing
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = "/api/v1/events"
LONG = "Bring what you like to play. " * 60
DOCUMENT = "{ events { nodes { id title description owner { name } } } }"
PACKED, PLAIN = {"accept-encoding": "gzip"}, {"accept-encoding": "identity"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_town: Town) -> Town:
    owner = module_town.client(Standing.OWNER)
    (await owner.call("updateEvent", id=module_town.event_id, input={"description": LONG})).ok()
    return module_town


@pytest.fixture
def owner(town: Town) -> Client:
    return town.client(Standing.OWNER)


@pytest_asyncio.fixture(loop_scope="module")
async def browser(town: Town) -> AsyncIterator[httpx.AsyncClient]:
    """A person's browser with a session in a cookie."""
    async with httpx.AsyncClient(base_url=town.service.address, headers=PACKED) as http:
        (
            await http.post("/api/v1/auth/dev-login", json={"name": "Ada"}, headers={"x-session": "cookie"})
        ).raise_for_status()
        yield http


async def _ask(client: Client, method: str, address: str, **headers: str) -> httpx.Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.service.http.request(method, address, headers={**client.headers(), **given})


@pytest.mark.parametrize(
    ("given", "takes"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("GZIP;Q=1", True),
        ("br, gzip;q=0.5", True),
        ("deflate, br, zstd", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("identity, gzip", True),
        ("identity;q=0.8, gzip;q=0.5", False),
        ("identity;q=0, *;q=0.1", True),
        ("gzip;q=many", False),
        ("gzipped", False),
    ],
)
async def test_who_takes_gzip(given: str | None, takes: bool) -> None:
    assert takes_gzip(given) is takes


@pytest.mark.parametrize("address", [EVENTS, "{event}", f"/graphql?query={DOCUMENT}", "/openapi.json"])
async def test_what_is_large_is_packed_for_who_takes_it(address: str, town: Town, owner: Client) -> None:
    address = address.replace("{event}", f"{EVENTS}/{town.event_id}")
    plain = await _ask(owner, "GET", address, **PLAIN)
    assert "content-encoding" not in plain.headers
    given = {**owner.headers(), **PACKED}
    async with owner.service.http.stream("GET", address, headers=given) as response:
        sent = b"".join([each async for each in response.aiter_raw()])
    assert response.headers["content-encoding"] == "gzip"
    assert int(response.headers["content-length"]) == len(sent) < len(plain.content) / 1.5
    assert gzip.decompress(sent) == plain.content
    assert response.headers["content-type"] == plain.headers["content-type"]
    headed = await _ask(owner, "HEAD", address, **PACKED)
    for name in ("content-encoding", "content-length", "etag", "vary"):
        assert headed.headers.get(name) == response.headers.get(name)


async def test_a_packed_answer_has_a_tag_of_its_own(town: Town, owner: Client) -> None:
    address = f"{EVENTS}/{town.event_id}"
    plain, small = await _ask(owner, "GET", address, **PLAIN), await _ask(owner, "GET", address, **PACKED)
    tag = small.headers["etag"]
    assert tag == plain.headers["etag"][:-1] + '-gzip"'
    assert plain.headers["vary"] == small.headers["vary"]
    assert "Accept-Encoding" in small.headers["vary"]
    for encoding in ("gzip", "identity"):
        for known in (tag, f"W/{tag}", f'"other", {tag}'):
            again = await _ask(owner, "GET", address, if_none_match=known, accept_encoding=encoding)
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert "content-encoding" not in again.headers


async def test_either_tag_is_good_for_a_change(town: Town, owner: Client) -> None:
    content = "A long story. " * 100
    said = (await owner.call("sendEventMessage", eventId=town.event_id, content=content)).ok()
    addresses = {f"{EVENTS}/{town.event_id}": {"title": "A packed evening"}}
    addresses[f"{EVENTS}/{town.event_id}/messages/{said['id']}"] = {"content": f"{content} The end."}
    for address, change in addresses.items():
        read = await _ask(owner, "GET", address, **PACKED)
        assert read.headers["content-encoding"] == "gzip"
        given = {**owner.headers(), "if-match": read.headers["etag"]}
        assert (await owner.service.http.patch(address, json=change, headers=given)).status_code == 200


async def test_what_is_small_or_a_command_is_sent_as_it_is(town: Town, owner: Client) -> None:
    me = await _ask(owner, "GET", "/api/v1/me", **PACKED)
    assert len(me.content) < LEAST
    given = {**owner.headers(), **PACKED}
    changed = await owner.service.http.patch(f"{EVENTS}/{town.event_id}", json={"city": "Krakow"}, headers=given)
    mutation = "mutation($id: UUID!) { updateEvent(id: $id, input: {}) { description } }"
    body = {"query": mutation, "variables": {"id": str(town.event_id)}}
    asked = await owner.service.http.post("/graphql", json=body, headers=given)
    assert min(len(changed.content), len(asked.content)) > LEAST
    for response in (me, changed, asked):
        assert response.status_code == 200
        assert "content-encoding" not in response.headers


@pytest.mark.parametrize("address", [EVENTS, f"/graphql?query={DOCUMENT}"])
async def test_what_a_stranger_may_have_arranged_is_not_packed(address: str, browser: httpx.AsyncClient) -> None:
    plain = await browser.get(address)
    assert len(plain.content) >= LEAST
    arranged = [
        await browser.get(address, headers={"sec-fetch-site": site}) for site in ("cross-site", "same-site", "none")
    ]
    assert all("content-encoding" not in each.headers for each in (plain, *arranged))
    ours = await browser.get(address, headers={"sec-fetch-site": "same-origin"})
    assert ours.headers["content-encoding"] == "gzip"
    assert ours.content == plain.content

"""GraphQL over server-sent events, byte by byte: both modes, what is refused, and what ends with its client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from muster.kit.endpoints.event_stream import reservations
from muster.kit.endpoints.event_stream.graphql import TOKEN_HEADER
from muster.testing.listening import Heard, Listener, listening
from muster.testing.people import Standing, sign_in
from muster.testing.serving import serving
from muster.testing.town import Town
from muster.testing.work import working

pytestmark = pytest.mark.asyncio(loop_scope="module")

ADDED = "subscription ($id: UUID!, $after: Cursor) { eventMessageAdded(eventId: $id, after: $after) { message { content } } }"
SAY = "mutation ($id: UUID!, $content: String!) { sendEventMessage(eventId: $id, content: $content) { content } }"
NAME = {"query": "{ me { name } }"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_town: Town) -> AsyncIterator[Town]:
    """A town at work."""
    async with working(module_town.service.urls) as work:
        await work.quiet()
        yield module_town


@pytest.fixture(scope="module")
def member(town: Town) -> dict[str, str]:
    """The headers of somebody who is seated."""
    return town.client(Standing.MEMBER).headers()


def stream(town: Town, headers: dict[str, str], **body: Any) -> AbstractAsyncContextManager[Listener]:
    """An operation with a stream of its own."""
    return listening(town.service.http, "POST", "/graphql", json=body, headers=headers)


def added(town: Town, **variables: Any) -> dict[str, Any]:
    """What follows the room of the town's event."""
    return {"query": ADDED, "variables": {"id": str(town.event_id), **variables}}


async def say(town: Town, *contents: str) -> None:
    for each in contents:
        told = await town.client(Standing.OWNER).document(SAY, id=town.event_id, content=each)
        assert "errors" not in told


def content(result: dict[str, Any]) -> str:
    found: str = result["data"]["eventMessageAdded"]["message"]["content"]
    return found


async def refusal(heard: Heard) -> str:
    (error,) = heard.json()["errors"]
    code: str = error["extensions"]["code"]
    return code


async def test_a_query_is_one_result_and_its_end(town: Town, member: dict[str, str]) -> None:
    async with stream(town, member, **NAME) as answer:
        assert (await answer.next()).json() == {"data": {"me": {"name": "main member"}}}
        end = await answer.next()
        assert (end.event, end.data) == ("complete", "")
        assert await answer.over()


async def test_a_subscription_goes_on_where_it_was_cut(town: Town, member: dict[str, str]) -> None:
    async with stream(town, member, **added(town)) as answer:
        began = await answer.place()
        await say(town, "one", "two")
        first = await answer.next()
        assert (first.event, content(first.json())) == ("next", "one")
    address = {"query": ADDED, "variables": f'{{"id": "{town.event_id}"}}'}
    for place, expected in ((began, ["one", "two"]), (first.id, ["two"])):
        headers = {**member, "last-event-id": str(place)}
        async with listening(town.service.http, "GET", "/graphql", params=address, headers=headers) as answer:
            assert [content((await answer.next()).json()) for _ in expected] == expected


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "{ me"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": ADDED, "variables": {"id": str(uuid4())}}, "NOT_FOUND"),
        ({"query": ADDED, "variables": {"id": str(uuid4()), "after": "x"}}, "BAD_USER_INPUT"),
    ],
)
async def test_what_graphql_refuses_is_told_by_the_stream(
    town: Town, member: dict[str, str], body: dict[str, Any], code: str
) -> None:
    async with stream(town, member, **body) as answer:
        assert await refusal(await answer.next()) == code
        assert (await answer.next()).event == "complete"
        assert await answer.over()


async def test_what_is_refused_before_graphql_has_its_status(town: Town, member: dict[str, str]) -> None:
    http, events = town.service.http, {"accept": "text/event-stream"}
    bad_token = await http.post("/graphql", json=NAME, headers={**events, "authorization": "Bearer x"})
    assert bad_token.status_code == 401
    assert bad_token.headers["content-type"].startswith("application/graphql-response+json")
    assert (await http.post("/graphql", json={}, headers={**events, **member})).status_code == 400
    mutation = await http.get("/graphql", params={"query": "mutation { logout }"}, headers={**events, **member})
    assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")


class Single:
    """A client of the single connection mode."""

    def __init__(self, town: Town, headers: dict[str, str], token: str) -> None:
        self.http, self.headers = town.service.http, {**headers, TOKEN_HEADER: token}

    @classmethod
    async def reserve(cls, town: Town, headers: dict[str, str]) -> "Single":
        """Reserve a stream."""
        response = await town.service.http.put("/graphql", headers=headers)
        assert (response.status_code, response.headers["cache-control"]) == (201, "private, no-store"), response.text
        return cls(town, headers, response.text)

    def connect(self) -> AbstractAsyncContextManager[Listener]:
        """Open it."""
        return listening(self.http, "GET", "/graphql", headers=self.headers)

    async def run(self, operation_id: Any, **body: Any) -> httpx.Response:
        """Send an operation."""
        body["extensions"] = {"operationId": operation_id}
        return await self.http.post("/graphql", json=body, headers=self.headers)

    async def stop(self, operation_id: str) -> int:
        """Stop one."""
        return (
            await self.http.delete("/graphql", params={"operationId": operation_id}, headers=self.headers)
        ).status_code


async def test_one_stream_carries_many_operations(town: Town, member: dict[str, str]) -> None:
    client = await Single.reserve(town, member)
    # What runs before the stream is open waits for it.
    assert (await client.run("q", **NAME)).status_code == 202
    async with client.connect() as answer:
        assert (await answer.next()).json() == {"id": "q", "payload": {"data": {"me": {"name": "main member"}}}}
        assert ((await answer.next()).json()) == {"id": "q"}
        for each in ("a", "b"):
            assert (await client.run(each, **added(town))).status_code == 202
        heard: set[str] = set()
        while heard != {"a", "b"}:
            await say(town, "knock")
            heard.add((await answer.next()).json()["id"])
        assert [await client.stop("a"), await client.stop("a"), await client.stop("nothing")] == [200, 200, 200]
        await say(town, "to b")
        told = [(await answer.next()).json()]
        while content(told[-1]["payload"]) != "to b":
            told.append((await answer.next()).json())
        assert told[-1]["id"] == "b"


async def test_a_reserved_stream_refuses(town: Town, member: dict[str, str]) -> None:
    client = await Single.reserve(town, member)
    async with client.connect() as answer:
        second = await client.http.get("/graphql", headers={**client.headers, "accept": "text/event-stream"})
        assert (second.status_code, second.json()["errors"][0]["extensions"]["code"]) == (409, "EVENT_STREAM_TAKEN")
        for bad in (None, "", 5, "x" * 129):
            assert (await client.run(bad, **NAME)).status_code == 400
        assert (await client.run("x", query="{ nothing }")).status_code == 400
        assert (await client.run("x", **added(town))).status_code == 202
        twice = await client.run("x", **added(town))
        assert (twice.status_code, twice.json()["errors"][0]["extensions"]["code"]) == (409, "OPERATION_ID_IN_USE")
        assert (await client.run("n", query=ADDED, variables={"id": str(uuid4())})).status_code == 202
        told = (await answer.next()).json()
        assert (told["id"], told["payload"]["errors"][0]["extensions"]["code"]) == ("n", "NOT_FOUND")
        assert (await answer.next()).json() == {"id": "n"}


async def test_a_stream_is_whose_it_is(town: Town, member: dict[str, str]) -> None:
    """Neither another person nor another session nor another community gets at it by its token."""
    client = await Single.reserve(town, member)
    another = (await sign_in(town.service, "main member")).client.headers()
    owner = town.client(Standing.OWNER).headers()
    for headers in (owner, another, {}, town.client(Standing.OTHER_TENANT).headers()):
        thief = Single(town, headers, client.headers[TOKEN_HEADER])
        read = await thief.http.get("/graphql", headers={**thief.headers, "accept": "text/event-stream"})
        assert (read.status_code, (await thief.run("x", **NAME)).status_code, await thief.stop("x")) == (404, 404, 404)
    async with client.connect() as answer:
        assert (await client.run("x", **NAME)).status_code == 202
        assert (await answer.next()).json()["id"] == "x"


async def test_a_reservation_that_nobody_uses_ends(
    town: Town, member: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reservations, "_CONNECT_SECONDS", 0.1)
    client = await Single.reserve(town, member)
    async with asyncio.timeout(10):
        while (await client.run("x", **NAME)).status_code != 404:  # noqa: ASYNC110 - the server says nothing of it
            await asyncio.sleep(0.02)


async def test_streams_end_with_their_session(town: Town) -> None:
    person = await sign_in(town.service, "somebody who leaves")
    headers = person.client.headers()
    client = await Single.reserve(town, headers)
    follow = {"query": "subscription { notificationAdded { cursor } }"}
    async with client.connect() as single, stream(town, headers, **follow) as distinct:
        await distinct.place()
        (await person.client.call("logout")).ok()
        assert await refusal(await distinct.next()) == "UNAUTHENTICATED"
        assert await single.over()
    assert (await town.service.http.put("/graphql", headers=headers)).status_code == 401


async def test_a_person_has_so_many_streams(town: Town) -> None:
    """Streams of either mode count like sockets, until their client leaves; a stopping server ends those that are open."""
    async with serving(town.service.urls, SOCKETS_PER_PERSON="2") as service:
        headers = town.client(Standing.MEMBER).headers()
        first = listening(service.http, "POST", "/graphql", json=added(town), headers=headers)
        async with first as answer, listening(service.http, "POST", "/graphql", json=added(town), headers=headers):
            await answer.place()
            assert (await service.http.put("/graphql", headers=headers)).status_code == 429
            third = await service.http.post("/graphql", json=NAME, headers={**headers, "accept": "text/event-stream"})
            assert third.status_code == 429
        async with asyncio.timeout(10):
            while (await service.http.put("/graphql", headers=headers)).status_code != 201:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        open_one = await service.http.send(
            service.http.build_request(
                "POST", "/graphql", json=added(town), headers={**headers, "accept": "text/event-stream"}
            ),
            stream=True,
        )
        listener = Listener(open_one)
        await listener.place()
    assert await listener.over()


async def test_a_cookie_opens_streams_for_our_pages_only(town: Town) -> None:
    async with httpx.AsyncClient(base_url=town.service.address) as browser:
        signed_in = await browser.post("/api/v1/auth/dev-login", json={"name": "Ada"}, headers={"x-session": "cookie"})
        csrf = {"x-csrf-token": signed_in.headers["x-csrf-token"]}
        address = {"query": "subscription { notificationAdded { cursor } }"}
        async with listening(browser, "GET", "/graphql", params=address) as answer:
            await answer.place()
        foreign = {"accept": "text/event-stream", "origin": "https://evil.example"}
        refused = await browser.get("/graphql", params=address, headers=foreign)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FOREIGN_ORIGIN")
        assert (await browser.put("/graphql")).status_code == 403, "without the CSRF token"
        assert (await browser.put("/graphql", headers=csrf)).status_code == 201

"""gql, the Python library, as it comes: queries and mutations over HTTP, subscriptions over the socket."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any
from uuid import uuid4

import pytest
from gql import Client, gql
from gql.client import AsyncClientSession
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from muster.testing.people import sign_in
from muster.testing.serving import Service
from muster.testing.town import make_event
from muster.testing.work import working

Stream = AsyncGenerator[tuple[str, str]]
"""Cursors and what was said at them."""

SIGN_IN = "mutation ($name: String!) { devLogin(name: $name) { accessToken user { ...Person } } }"
EVENT = """
    query ($id: UUID!, $withOwner: Boolean!) {
      event(id: $id) { ...Card members(first: 1) { nodes { status user { ...Person } } } }
    }
    fragment Card on Event { title joinedCount owner @include(if: $withOwner) { ...Person } }
"""
PERSON = " fragment Person on User { id name }"
JOIN = "mutation ($id: UUID!) { joinEvent(eventId: $id) { status } }"
SAY = "mutation ($id: UUID!, $content: String!) { sendEventMessage(eventId: $id, content: $content) { id } }"
LISTEN = """
    subscription ($id: UUID!, $after: Cursor) {
      eventMessageAdded(eventId: $id, after: $after) { cursor message { content } }
    }
"""


async def test_gql_does_everything_unmodified(service: Service) -> None:
    owner = await sign_in(service, "Olga")
    event_id = str(await make_event(owner.client, title="Chess in the park"))
    async with working(service.urls), asyncio.timeout(30):
        async with Client(transport=HTTPXAsyncTransport(f"{service.address}/graphql")) as anonymous:
            signed_in = await ask(anonymous, SIGN_IN + PERSON, name="Nils")
        authorization = f"Bearer {signed_in['devLogin']['accessToken']}"
        http = HTTPXAsyncTransport(f"{service.address}/graphql", headers={"authorization": authorization})
        async with Client(transport=http, fetch_schema_from_transport=True) as session:
            joined = await ask(session, JOIN, id=event_id)
            assert joined == {"joinEvent": {"status": "JOINED"}}
            read = await ask(session, EVENT + PERSON, id=event_id, withOwner=True)
            person = {"id": str(owner.user_id), "name": "Olga"}
            members = {"nodes": [{"status": "JOINED", "user": person}]}
            assert read["event"] == {
                "title": "Chess in the park",
                "joinedCount": 2,
                "owner": person,
                "members": members,
            }
            with pytest.raises(TransportQueryError) as refused:
                await ask(session, JOIN, id=str(uuid4()))
            assert refused.value.errors is not None
            assert refused.value.errors[0]["extensions"]["code"] == "EVENT_NOT_FOUND"
            await listen_nowhere(service, authorization)
            await listen_and_come_back(session, service, authorization, event_id)


async def listen_nowhere(service: Service, authorization: str) -> None:
    """A stream is refused with a code too."""
    async with listening(service, authorization, str(uuid4())) as stream:
        with pytest.raises(TransportQueryError) as refused:
            await anext(stream)
    assert refused.value.errors is not None
    assert refused.value.errors[0]["extensions"]["code"] == "NOT_FOUND"


async def listen_and_come_back(
    session: AsyncClientSession, service: Service, authorization: str, event_id: str
) -> None:
    """Hear two messages, go away, and hear the two that came meanwhile on the next connection."""

    async def say(content: str) -> None:
        await ask(session, SAY, id=event_id, content=content)

    async with listening(service, authorization, event_id) as stream:
        # A subscription says not when it has begun, so knock until a knock is heard.
        first = asyncio.create_task(anext(stream))
        while not (await asyncio.wait([first], timeout=0.25))[0]:
            await say("knock")
        await say("one")
        await say("two")
        heard = [element async for element in until(stream, "two")]
    assert [content for _, content in heard if content != "knock"] == ["one", "two"]
    await say("three")
    await say("four")
    async with listening(service, authorization, event_id, after=heard[-1][0]) as stream:
        assert [content async for _, content in until(stream, "four")] == ["three", "four"]


def listening(service: Service, authorization: str, event_id: str, **after: str) -> AbstractAsyncContextManager[Stream]:
    """What is said in a room, over a connection of its own."""
    return aclosing(_listen(service, authorization, {"id": event_id, **after}))


async def _listen(service: Service, authorization: str, variables: dict[str, str]) -> Stream:
    address = f"{service.address.replace('http', 'ws')}/graphql"
    transport = WebsocketsTransport(
        address,
        init_payload={"authorization": authorization},
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    async with Client(transport=transport) as session:
        request = gql(LISTEN)
        request.variable_values = variables
        async for result in session.subscribe(request):
            element = result["eventMessageAdded"]
            yield element["cursor"], element["message"]["content"]


async def until(stream: Stream, last: str) -> Stream:
    """The elements of a stream up to one that says `last`."""
    async for element in stream:
        yield element
        if element[1] == last:
            return


async def ask(session: AsyncClientSession, document: str, **variables: Any) -> dict[str, Any]:
    """The data that a query or mutation gives."""
    request = gql(document)
    request.variable_values = variables
    return await session.execute(request)

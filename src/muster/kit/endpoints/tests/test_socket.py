"""The socket, over real connections to a real server: the protocol's messages, its close codes, and what follows."""

import asyncio

import pytest

from muster.kit.endpoints import socket
from muster.kit.endpoints.socket import LARGEST_MESSAGE, PROTOCOL
from muster.kit.endpoints.tests.sites import Site
from muster.testing.thoroughness import as_much_as

ADDED = "subscription ($id: UUID!, $after: Cursor) { added: eventMessageAdded(eventId: $id, after: $after) %s }"
MESSAGES = ADDED % "{ cursor message { content } }"
READERS, SAID = as_much_as(2, thoroughly=10), as_much_as(50, thoroughly=1_000)
"""Each reader is cut about as often as something is said: a hundred times in all, thoroughly ten thousand."""


@pytest.mark.parametrize("protocols", [(), ("graphql-ws",), ("json", "mqtt")])
async def test_another_protocol_is_not_spoken(site: Site, protocols: tuple[str, ...]) -> None:
    async with site.socket(protocols=protocols) as client:
        assert client.connection.subprotocol is None
        assert await client.closed() == (4406, "Subprotocol not acceptable")


async def test_our_protocol_is_chosen_among_others(site: Site) -> None:
    async with site.socket(protocols=("graphql-ws", PROTOCOL)) as client:
        assert client.connection.subprotocol == PROTOCOL
        await client.send(type="connection_init", payload={"somebody": {"else's": "field"}})
        assert await client.receive() == {"type": "connection_ack"}


async def test_pings_are_answered_before_and_after_the_init(site: Site) -> None:
    async with site.socket() as client:
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        await client.send(type="connection_init")
        assert await client.receive() == {"type": "connection_ack"}
        await client.send(type="pong", payload={"some": "thing"})
        await client.send(type="ping", payload={"some": ["thing"]})
        assert await client.receive() == {"type": "pong", "payload": {"some": ["thing"]}}
        await client.send(type="ping", payload=None)
        assert await client.receive() == {"type": "pong"}


async def test_whoever_does_not_begin_in_time_is_let_go(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "_INIT_SECONDS", 0.1)
    async with site.socket() as client:
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_nothing_runs_before_the_init(site: Site) -> None:
    async with site.socket() as client:
        await client.run("1", "{ __typename }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_a_second_init_is_one_too_many(site: Site) -> None:
    async with site.socket() as client:
        await client.send(type="connection_init")
        await client.receive()
        await client.send(type="connection_init")
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_a_bad_token_and_an_unknown_tenant_are_refused(site: Site) -> None:
    for payload in ({"authorization": "Bearer nonsense"}, {"authorization": "Basic x"}, {"tenant": "nowhere"}):
        async with site.socket() as client:
            await client.send(type="connection_init", payload=payload)
            code, reason = await client.closed()
            assert code == 4403
            assert reason


@pytest.mark.parametrize(
    "message",
    [
        "",
        "nonsense",
        "[]",
        "null",
        "{}",
        '{"type":"nonsense"}',
        '{"type":"subscribe"}',
        '{"type":"subscribe","id":"","payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":1,"payload":{"query":"{ __typename }"}}',
        '{"type":"subscribe","id":"1","payload":{"query":null}}',
        '{"type":"subscribe","id":"1","payload":{"query":"{ __typename }","variables":[]}}',
        '{"type":"complete"}',
        '{"type":"ping","payload":[]}',
        '{"type":"pong","payload":"x"}',
        '{"type":"next","id":"1","payload":{}}',
        '{"type":"connection_ack"}',
        "[" * 20_000,
        b'{"type":"ping"}',
    ],
)
async def test_what_is_no_message_closes_the_socket(site: Site, message: str | bytes) -> None:
    async with site.socket() as client:
        await client.send(type="connection_init")
        await client.receive()
        await client.connection.send(message)
        code, reason = await client.closed()
        assert code == 4400
        assert reason


async def test_a_message_may_only_be_so_long(site: Site) -> None:
    async with site.socket() as client:
        await client.connection.send(" " * LARGEST_MESSAGE + '{"type":"ping"}')
        assert (await client.closed())[0] == 1009


async def test_an_id_is_used_once_at_a_time(site: Site) -> None:
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with site.client(owner) as client:
        await client.run("x", MESSAGES, id=str(event_id))
        await client.run("x", MESSAGES, id=str(event_id))
        assert await client.closed() == (4409, "Subscriber for x already exists")


async def test_queries_and_mutations_run_too(site: Site) -> None:
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with site.client(owner) as client:
        await client.run("q", "{ me { name } }")
        assert await client.receive() == {"id": "q", "type": "next", "payload": {"data": {"me": {"name": "Owner"}}}}
        assert await client.receive() == {"id": "q", "type": "complete"}
        send = 'mutation ($id: UUID!) { sendEventMessage(eventId: $id, content: "hello") { content } }'
        await client.run("q", send, id=str(event_id))
        sent = {"data": {"sendEventMessage": {"content": "hello"}}}
        assert await client.receive() == {"id": "q", "type": "next", "payload": sent}
        assert await client.receive() == {"id": "q", "type": "complete"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ me", "GRAPHQL_VALIDATION_FAILED"),
        (
            "subscription { notificationAdded { cursor } notificationAdded { cursor } x: notificationAdded { cursor } }",
            None,
        ),
        ('subscription { notificationAdded(after: "nonsense") { cursor } }', "BAD_USER_INPUT"),
        ('subscription { eventMessageAdded(eventId: "nonsense") { cursor } }', None),
        ('subscription { eventMessageAdded(eventId: "00000000-0000-7000-8000-000000000009") { cursor } }', "NOT_FOUND"),
    ],
)
async def test_an_operation_that_cannot_run_is_told_so_and_leaves_the_socket_open(
    site: Site, query: str, code: str | None
) -> None:
    owner = await site.town.person("Owner")
    async with site.client(owner) as client:
        await client.run("1", query)
        told = await client.receive()
        assert (told["id"], told["type"]) == ("1", "error")
        status = told["payload"][0]["extensions"]["status"]
        assert 400 <= status < 500
        assert code is None or told["payload"][0]["extensions"]["code"] == code
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}


async def test_an_error_is_the_last_word_and_the_id_is_free_again(site: Site) -> None:
    owner = await site.town.person("Owner")
    async with site.client(owner) as client:
        for _ in range(2):
            await client.run("1", "{ nothing }")
            assert (await client.receive())["type"] == "error"
        await client.run("1", "{ __typename }")
        assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]


async def test_a_field_that_fails_is_a_result_with_errors(site: Site) -> None:
    owner = await site.town.person("Owner")
    async with site.client(owner) as client:
        join = 'mutation { a: __typename joinEvent(eventId: "00000000-0000-7000-8000-000000000009") { id } }'
        await client.run("1", join)
        told = await client.receive()
        assert (told["type"], told["payload"]["data"]) == ("next", {"a": "Mutation", "joinEvent": None})
        (error,) = told["payload"]["errors"]
        assert (error["path"], error["locations"]) == (["joinEvent"], [{"line": 1, "column": 26}])
        assert await client.receive() == {"id": "1", "type": "complete"}


async def test_a_visitor_reads_what_visitors_may(site: Site) -> None:
    async with site.socket() as client:
        await client.send(type="connection_init", payload=None)
        await client.receive()
        await client.run("1", "{ events { totalCount } }")
        assert (await client.receive())["payload"] == {"data": {"events": {"totalCount": 0}}}
        assert (await client.receive())["type"] == "complete"
        await client.run("2", "{ me { id } }")
        told = await client.receive()
        assert (told["type"], told["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")


async def test_completing_what_does_not_run_is_nothing(site: Site) -> None:
    async with site.socket() as client:
        await client.send(type="connection_init")
        await client.receive()
        await client.send(id="never", type="complete")
        await client.run("1", "{ __typename }")
        assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await client.send(id="1", type="complete")
        await client.send(type="ping")
        assert await client.receive() == {"type": "pong"}


async def test_after_a_complete_nothing_comes_and_the_id_is_free_at_once(site: Site) -> None:
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with site.client(owner) as client:
        for _ in range(50):
            await client.run("x", MESSAGES, id=str(event_id))
            await client.send(id="x", type="complete")
        await client.run("x", "{ __typename }")
        assert [(await client.receive())["type"] for _ in range(2)] == ["next", "complete"]
        await site.follows(0)


async def test_operations_at_once_answer_each_under_its_id(site: Site) -> None:
    owner = await site.town.person("Owner")
    async with site.client(owner) as client:
        for number in range(50):
            await client.run(str(number), f"{{ n{number}: me {{ name }} }}")
        told = [await client.receive() for _ in range(100)]
    for number in range(50):
        mine = [each for each in told if each["id"] == str(number)]
        assert [each["type"] for each in mine] == ["next", "complete"]
        assert mine[0]["payload"] == {"data": {f"n{number}": {"name": "Owner"}}}


async def test_a_socket_runs_only_so_many_operations(site: Site) -> None:
    owner = await site.town.person("Owner")
    async with site.client(owner) as client:
        for number in range(101):
            await client.run(str(number), "subscription { notificationAdded { cursor } }")
        told = await client.receive()
        assert (told["id"], told["type"]) == ("100", "error")
        assert told["payload"][0]["extensions"]["code"] == "RATE_LIMIT_EXCEEDED"
        await client.send(id="0", type="complete")
        await client.run("0", "{ __typename }")
        assert (await client.receive())["id"] == "0"


async def test_messages_arrive_until_the_client_completes(site: Site) -> None:
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with site.client(owner) as client:
        await client.run("x", MESSAGES, id=str(event_id))
        await client.run(
            "y", ADDED % "{ kind: __typename message { author { name } again: content } }", id=str(event_id)
        )
        await site.follows(2)
        await site.town.say(owner, event_id, 'hello "you" \u00e9\U0001f600')
        elements = {each["id"]: each["payload"]["data"]["added"] for each in [await client.receive() for _ in "xy"]}
        assert elements["x"]["message"] == {"content": 'hello "you" \u00e9\U0001f600'}
        assert elements["y"] == {
            "kind": "EventMessageAdded",
            "message": {"author": {"name": "Owner"}, "again": 'hello "you" \u00e9\U0001f600'},
        }
        await client.send(id="x", type="complete")
        await site.town.say(owner, event_id, "and you?")
        assert (await client.receive())["id"] == "y"


async def test_readers_whose_sockets_are_cut_again_and_again_see_every_message_once(site: Site) -> None:
    owner = await site.town.person("Owner")
    event_id = await site.town.event(owner)
    async with site.client(owner) as client:
        await client.run("x", MESSAGES, id=str(event_id))
        await site.follows(1)
        await site.town.say(owner, event_id, "first")
        first = (await client.receive())["payload"]["data"]["added"]["cursor"]

    async def write() -> None:
        for number in range(SAID):
            await site.town.say(owner, event_id, str(number))

    async def read() -> int:
        """Read to the end; answers with how often the socket was cut."""
        seen: list[str] = []
        after, cut = first, 0
        while len(seen) < SAID:
            cut += 1
            async with site.client(owner) as client:
                await client.run("x", MESSAGES, id=str(event_id), after=after)
                for _ in range(min(cut % 3, SAID - len(seen))):
                    element = (await client.receive())["payload"]["data"]["added"]
                    seen.append(element["message"]["content"])
                    after = element["cursor"]
                client.connection.transport.abort()
        assert seen == [str(number) for number in range(SAID)]
        return cut

    writing = asyncio.create_task(write())
    cuts = await asyncio.gather(*(read() for _ in range(READERS)))
    await writing
    assert sum(cuts) >= READERS * SAID


async def test_whoever_is_kicked_is_told_so_and_hears_nothing_more(site: Site) -> None:
    owner, guest = await site.town.person("Owner"), await site.town.person("Guest")
    event_id = await site.town.event(owner)
    await site.town.run(guest, "joinEvent", eventId=event_id)
    async with site.client(owner) as owners, site.client(guest) as guests:
        for client in (owners, guests):
            await client.run("x", MESSAGES, id=str(event_id))
        await site.follows(2)
        await site.town.say(owner, event_id, "welcome")
        assert [(await client.receive())["type"] for client in (owners, guests)] == ["next", "next"]
        await site.town.run(owner, "kickMember", eventId=event_id, userId=guest.user_id)
        told = await guests.receive()
        assert (told["id"], told["type"], told["payload"][0]["extensions"]["code"]) == ("x", "error", "FORBIDDEN")
        await site.town.say(owner, event_id, "among ourselves")
        assert (await owners.receive())["type"] == "next"
        await guests.send(type="ping")
        assert await guests.receive() == {"type": "pong"}


async def test_a_page_inside_an_element_takes_its_arguments(site: Site) -> None:
    owner, guest = await site.town.person("Owner"), await site.town.person("Guest")
    event_id = await site.town.event(owner)
    changed = """subscription ($id: UUID!, $size: Int) { membershipChanged(eventId: $id) {
      membership { event { members(first: $size) { nodes { user { name } } totalCount } } } } }"""
    async with site.client(owner) as client:
        await client.run("one", changed, id=str(event_id), size=1)
        await client.run("two", changed, id=str(event_id), size=2)
        await site.follows(2)
        await site.town.run(guest, "joinEvent", eventId=event_id)
        elements = {each["id"]: each["payload"]["data"] for each in [await client.receive() for _ in "12"]}
    names = [
        [node["user"]["name"] for node in element["membershipChanged"]["membership"]["event"]["members"]["nodes"]]
        for element in (elements["one"], elements["two"])
    ]
    assert names == [["Owner"], ["Owner", "Guest"]]


async def test_who_types_is_told_to_the_others_and_by_whoever_has_a_place(site: Site) -> None:
    owner, guest, stranger = [await site.town.person(name) for name in ("Owner", "Guest", "Stranger")]
    event_id = await site.town.event(owner)
    await site.town.run(guest, "joinEvent", eventId=event_id)
    types = "mutation ($id: UUID!) { publishEventTyping(eventId: $id) }"
    follow = "subscription ($id: UUID!) { who: eventTyping(eventId: $id) { __typename userId on: isTyping } }"
    async with site.client(owner) as owners, site.client(guest) as guests, site.client(stranger) as strangers:
        for client in (owners, guests):
            await client.run("typing", follow, id=str(event_id))
        await site.follows(2)
        await strangers.run("x", types, id=str(event_id))
        told = await strangers.receive()
        assert told["payload"]["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        await guests.run("x", types, id=str(event_id))
        assert [(await guests.receive())["type"] for _ in range(2)] == ["next", "complete"]
        told = await owners.receive()
        who = {"__typename": "EventTyping", "userId": str(guest.user_id), "on": True}
        assert (told["id"], told["payload"]) == ("typing", {"data": {"who": who}})


async def test_a_server_that_stops_says_so(site: Site) -> None:
    owner = await site.town.person("Owner")
    async with site.client(owner) as client:
        await client.run("x", "subscription { notificationAdded { cursor } }")
        stopping = asyncio.create_task(site.server.shutdown())
        assert (await client.closed())[0] == 1012
        await stopping

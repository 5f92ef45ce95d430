"""Hostile bytes on real sockets: requests that no HTTP library would send, and frames that no client should."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from muster.kit.endpoints.wire import BoundedHttp
from muster.testing.people import Standing
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _say(town: Town, *parts: bytes, hang_up: bool = False) -> bytes:
    """The answer to raw bytes. hang_up: end our side after the last of them."""
    place = urlsplit(town.service.address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        if hang_up:
            writer.write_eof()
        async with asyncio.timeout(10):
            return await reader.read(65_536)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def _post(town: Town, *headers: str) -> bytes:
    """The head of a request that makes an event."""
    authorization = town.client(Standing.MEMBER).headers()["authorization"]
    lines = ["POST /api/v1/events HTTP/1.1", "Host: x", f"Authorization: {authorization}", *headers, "", ""]
    return "\r\n".join(["Content-Type: application/json" if line == "JSON" else line for line in lines]).encode()


@pytest.mark.parametrize("body", [b"", b'{"title": "An ev', b'{"title": "A whole evening"}'])
async def test_a_body_cut_short(body: bytes, town: Town) -> None:
    answer = await _say(town, _post(town, "JSON", "Content-Length: 500"), body, hang_up=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


async def test_a_chunked_body_cut_short(town: Town) -> None:
    answer = await _say(town, _post(town, "JSON", "Transfer-Encoding: chunked"), b'5\r\n{"a":\r\n', hang_up=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"GET /health/live HT",),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ",),
        (b"POST /graphql HTTP/1.1\r\n",),
    ],
)
async def test_a_head_that_does_not_arrive(
    parts: tuple[bytes, ...], town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedHttp, "patience", 0.2)
    assert (await _say(town, *parts)).startswith(b"HTTP/1.1 408")


async def test_a_body_that_does_not_arrive(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttp, "patience", 0.2)
    assert (await _say(town, _post(town, "JSON", "Content-Length: 500"), b'{"title": ')).startswith(b"HTTP/1.1 408")


async def test_whoever_reads_nothing_of_an_answer_is_let_go(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    lost, let_go = asyncio.Event(), BoundedHttp.connection_lost

    def connection_lost(wire: BoundedHttp, error: Exception | None) -> None:
        let_go(wire, error)
        lost.set()

    monkeypatch.setattr(BoundedHttp, "connection_lost", connection_lost)
    monkeypatch.setattr(BoundedHttp, "patience", 0.3)
    address = urlsplit(town.service.address)
    # With a limit the client's side stops to read, and what the kernels hold of these answers is only a part.
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1024)
    writer.write(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
    try:
        async with asyncio.timeout(20):
            await lost.wait()
        received = 0
        with suppress(ConnectionError):
            while chunk := await reader.read(1_000_000):
                received += len(chunk)
    finally:
        writer.transport.abort()
    assert received < 50 * len((await town.service.http.get("/openapi.json")).content)


async def test_ten_megabytes_announced(town: Town) -> None:
    answer = await _say(town, _post(town, "JSON", "Content-Length: 10000000"))
    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"PAYLOAD_TOO_LARGE"' in answer


@pytest.mark.parametrize("address", ["/api/v1/events", "/graphql"])
async def test_ten_megabytes_in_chunks(address: str, town: Town) -> None:
    def chunks() -> Iterator[bytes]:
        yield from (b'"' + b"x" * 99_999 for _ in range(100))

    async def sent() -> AsyncIterator[bytes]:
        for chunk in chunks():
            yield chunk

    headers = {**town.client(Standing.MEMBER).headers(), "content-type": "application/json"}
    response = await town.service.http.post(address, content=sent(), headers=headers)
    assert response.status_code == 413
    assert "PAYLOAD_TOO_LARGE" in response.text


HEADS = {
    "no HTTP": b"hello there\r\n\r\n",
    "unknown method": b"BREW /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n",
    "version 9": b"GET /api/v1/events HTTP/9.9\r\nHost: x\r\n\r\n",
    "NUL in a header": b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\nX-Tenant: a\x00b\r\n\r\n",
    "NUL in the address": b"GET /api/v1/events\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "odd percents": b"GET /api/v1/events/%zz%2 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a percent alone": b"GET /api/v1/events/% HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in the address": b"GET /api/v1/events/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "raw bytes in the query": b"GET /api/v1/events?text=\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "a length that is none": b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "a negative length": b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    "two lengths": b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a chunk that is none": b"POST /api/v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "huge header": b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nX-Junk: " + b"a" * 200_000 + b"\r\n\r\n",
    "thousands of headers": b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    "raw bytes in a header": b"GET /api/v1/me HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\xfe\r\n\r\n",
    "a host that is none": b"GET /api/v1/me HTTP/1.1\r\nHost: [\r\n\r\n",
}


@pytest.mark.parametrize("name", HEADS)
async def test_heads(name: str, town: Town) -> None:
    answer = await _say(town, HEADS[name])
    assert answer.startswith(b"HTTP/1.1 4"), answer


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\nX-Junk: " + b"a" * 70_000 + b"\r\n\r\n", 431),
        (b"GET /health/live HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 40_000 + b"\r\n", 431),
        (b"GET /health/live?" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
    ],
    ids=["one header", "many headers", "address"],
)
async def test_a_head_too_large(head: bytes, status: int, town: Town) -> None:
    answer = await _say(town, head)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())


@pytest.mark.parametrize("endless", [b"X-Junk: ", b"", b"GET /"], ids=["a header", "headers", "an address"])
async def test_a_head_without_end_is_cut_off(endless: bytes, town: Town) -> None:
    place = urlsplit(town.service.address)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    start = b"" if endless.startswith(b"GET") else b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
    writer.write(start + endless)
    sent = 0
    try:
        async with asyncio.timeout(10):
            # A client that goes on until it is cut off; ten times the bound is never taken.
            while sent < 700_000 and not reader.at_eof():
                writer.write((b"a" * 500) if endless else b"A: " + b"b" * 500 + b"\r\n")
                await writer.drain()
                sent += 500
                await asyncio.sleep(0)
            answer = await reader.read()
    except ConnectionError:
        answer = b""
    finally:
        writer.close()
    assert sent < 700_000
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431")


async def test_a_large_body_is_no_large_head(town: Town) -> None:
    headers = {**town.client(Standing.MEMBER).headers(), "content-type": "application/json"}
    body = json.dumps({"title": "x" * 500_000}).encode()
    for _ in range(2):
        response = await town.service.http.post("/api/v1/events", content=body, headers=headers)
        assert response.status_code == 422


async def test_a_host_that_is_none_breaks_no_query(town: Town) -> None:
    answer = await _say(town, b"GET /graphql?query=%7B__typename%7D HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


async def _open(town: Town) -> ClientConnection:
    address = town.service.address.replace("http", "ws", 1) + "/graphql"
    return await connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], max_size=None)


async def _greet(socket: ClientConnection, payload: Any = None) -> None:
    await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
    assert json.loads(await socket.recv())["type"] == "connection_ack"


async def test_a_socket_outlives_the_patience_with_requests(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedHttp, "patience", 0.05)
    socket = await _open(town)
    for turn in range(20):
        # Each wait is for an answer of its own, and together they are longer than the patience with a request.
        assert (await _say(town)).startswith(b"HTTP/1.1 408")
        if turn == 0:
            await _greet(socket)
    await socket.send('{"type": "ping"}')
    assert json.loads(await socket.recv())["type"] == "pong"
    await socket.close()


MESSAGES: dict[str, str | bytes] = {
    "binary": b"\x00\xff",
    "no JSON": "hello",
    "empty": "",
    "a list": "[]",
    "no type": "{}",
    "unknown type": '{"type": "shout"}',
    "type twice": '{"type": "ping", "type": "shout"}',
    "number for the id": '{"type": "subscribe", "id": 5, "payload": {"query": "{me{id}}"}}',
    "empty id": '{"type": "subscribe", "id": "", "payload": {"query": "{me{id}}"}}',
    "very long id": json.dumps({"type": "subscribe", "id": "x" * 1000, "payload": {"query": "{me{id}}"}}),
    "no payload": '{"type": "subscribe", "id": "1"}',
    "number for the query": '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
    "deep": '{"type": "ping", "payload": ' + "[" * 30_000,
    "half a surrogate pair": '{"type": "complete", "id": "\\ud800"}',
    "NaN": '{"type": "subscribe", "id": "1", "payload": {"query": "{me{id}}", "variables": {"a": NaN}}}',
}


@pytest.mark.parametrize("greeted", [False, True])
@pytest.mark.parametrize("name", MESSAGES)
async def test_messages(name: str, greeted: bool, town: Town) -> None:
    async with await _open(town) as socket:
        if greeted:
            await _greet(socket)
        await socket.send(MESSAGES[name])
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400, closed.value.rcvd
    assert closed.value.rcvd.reason


async def test_a_message_too_large(town: Town) -> None:
    async with await _open(town) as socket:
        await _greet(socket)
        await socket.send('{"type": "ping", "payload": "' + "x" * 1_000_000 + '"}')
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.parametrize(
    "payload",
    [{"authorization": "Bearer"}, {"authorization": "Bearer a.b.c"}, {"tenant": "no-such"}, {"tenant": "\x00"}],
    ids=str,
)
async def test_credentials(payload: dict[str, str], town: Town) -> None:
    async with await _open(town) as socket:
        await socket.send(json.dumps({"type": "connection_init", "payload": payload}))
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4403


OPERATIONS: dict[str, tuple[str, dict[str, Any], str]] = {
    "no document": ("{{{", {}, "GRAPHQL_VALIDATION_FAILED"),
    "deep": ("{" * 5000, {}, "GRAPHQL_VALIDATION_FAILED"),
    "no id": ('subscription { membershipChanged(eventId: "x") { cursor } }', {}, "VALIDATION_ERROR"),
    "no cursor": ('subscription { notificationAdded(after: "x") { cursor } }', {}, "BAD_USER_INPUT"),
    "two streams": ("subscription { a: notificationAdded { cursor } b: notificationAdded { cursor } }", {},
                    "GRAPHQL_VALIDATION_FAILED"),
    "U+0000": ("query($t: String) { events(filter: {text: $t}) { totalCount } }", {"t": "\x00"}, "BAD_USER_INPUT"),
    "null under a directive": (
        "subscription($a: Boolean = true) { notificationAdded { cursor @skip(if: $a) notification { id } } }",
        {"a": None}, "BAD_USER_INPUT"),
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
async def test_operations(name: str, town: Town) -> None:
    query, variables, code = OPERATIONS[name]
    async with await _open(town) as socket:
        await _greet(socket, {"authorization": town.client(Standing.MEMBER).headers()["authorization"]})
        request = {"type": "subscribe", "id": "1", "payload": {"query": query, "variables": variables}}
        await socket.send(json.dumps(request))
        told = json.loads(await asyncio.wait_for(socket.recv(), 5))
        assert (told["type"], told["id"]) == ("error", "1"), told
        assert told["payload"][0]["extensions"]["code"] == code, told

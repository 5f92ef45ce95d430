"""Idempotency keys over REST, GraphQL and the socket: one effect, one answer, and nobody else's."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from muster.identity.tests.people import PASSWORD, account, register
from muster.kit.db.migrate import Urls
from muster.kit.ids import new_id
from muster.testing.below import ask, maintenance, value
from muster.testing.client import Client, Way
from muster.testing.people import Standing, found_tenant, sign_in
from muster.testing.serving import serving
from muster.testing.town import Town, make_event, settle
from muster.testing.work import working

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEND = """mutation ($id: UUID!, $content: String!) {
  sendEventMessage(eventId: $id, content: $content) { id content }
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_urls: Urls) -> Any:
    async with serving(module_urls) as service:
        yield await settle(service)


@pytest.fixture
def member(town: Town) -> Client:
    return town.client(Standing.MEMBER)


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return f"key-{new_id()}"


async def _said(town: Town, content: str) -> int:
    number: int = await value(town.service.urls, "select count(*) from messages where content = $1", content)
    return number


async def _graphql(client: Client, query: str, extensions: Any, **variables: object) -> Any:
    body = {"query": query, "variables": variables, "extensions": extensions}
    return (await client.service.http.post("/graphql", json=body, headers=client.headers())).json()


async def _post(client: Client, path: str, body: object, *keys: str) -> httpx.Response:
    headers = [*client.headers().items(), *(("Idempotency-Key", each) for each in keys)]
    return await client.service.http.post(path, json=body, headers=headers)


@pytest.mark.parametrize("first", Way)
@pytest.mark.parametrize("then", Way)
async def test_a_repeat_does_nothing_and_is_answered_as_the_first(
    town: Town, member: Client, key: str, first: Way, then: Way
) -> None:
    said: Any = {"eventId": town.event_id, "content": f"{first} then {then}"}
    told = await member.with_key(key).call("sendEventMessage", way=first, **said)
    again = await member.with_key(key).call("sendEventMessage", way=then, **said)
    assert (told.ok(), told.replayed, again.replayed) == (again.ok(), False, True)
    assert again.status == (201 if then == Way.REST else 200)
    assert await _said(town, said["content"]) == 1


async def test_the_extension_of_graphql_is_the_same_key(town: Town, member: Client, key: str) -> None:
    given = {"id": str(town.event_id), "content": "by extension"}
    told = await _graphql(member, SEND, {"idempotencyKey": key}, **given)
    again = await _graphql(member.with_key(key), SEND, {"idempotencyKey": key}, **given)
    assert "extensions" not in told
    assert again == {"data": told["data"], "extensions": {"idempotencyReplayed": True}}
    rest = await member.with_key(key).call("sendEventMessage", eventId=town.event_id, content="by extension")
    assert (rest.ok()["id"], rest.replayed) == (told["data"]["sendEventMessage"]["id"], True)


async def test_a_repeat_reads_again_and_keeps_status_and_location(town: Town, key: str) -> None:
    founder = await sign_in(town.service, "A founder")
    body = {"slug": f"town-{new_id().hex[-12:]}", "name": "Before"}
    first = await _post(founder.client, "/api/v1/tenants", body, key)
    again = await _post(founder.client, "/api/v1/tenants", body, key)
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert (first.headers.get("location"), again.headers["idempotency-replayed"]) == (
        again.headers.get("location"),
        "true",
    )
    joined = await town.waiting.client.with_key(key).call("leaveEvent", eventId=town.event_id)
    back = await town.waiting.client.call("joinEvent", eventId=town.event_id)
    replayed = await town.waiting.client.with_key(key).call("leaveEvent", eventId=town.event_id)
    assert (joined.ok()["status"], back.ok()["status"], replayed.ok()["status"]) == ("LEFT", "WAITLIST", "WAITLIST")


@pytest.mark.parametrize("way", Way)
async def test_another_request_under_the_key_is_refused(town: Town, member: Client, key: str, way: Way) -> None:
    (await member.with_key(key).call("sendEventMessage", eventId=town.event_id, content="the one")).ok()
    other = await member.with_key(key).call("sendEventMessage", way=way, eventId=town.event_id, content="the other")
    verb = await member.with_key(key).call("muteEvent", way=way, eventId=town.event_id, muted=True)
    assert (other.status, other.code) == (verb.status, verb.code) == (422, "IDEMPOTENCY_MISMATCH")
    assert await _said(town, "the other") == 0


async def test_a_key_is_of_one_person_in_one_tenant(town: Town, key: str) -> None:
    said: Any = {"eventId": town.event_id, "content": "each says it"}
    for standing in (Standing.MEMBER, Standing.OWNER):
        answer = await town.client(standing).with_key(key).call("sendEventMessage", **said)
        assert (answer.status, answer.replayed) == (201, False)
    founder = await sign_in(town.service, "Of two towns")
    for slug in ("first-of-two", "second-of-two"):
        await found_tenant(founder, slug)
        made = await founder.client.in_tenant(slug).with_key(key).call("clearNotifications")
        assert (made.status, made.replayed) == (200, False)


@pytest.mark.parametrize("bad", ["", "two words", "k" * 256, "kéy"])
async def test_a_bad_key_is_named_and_nothing_happens(town: Town, member: Client, bad: str) -> None:
    path = f"/api/v1/events/{town.event_id}/messages"
    content = f"under {bad}"
    headers = httpx.Headers({**member.headers(), "Idempotency-Key": bad}, encoding="utf-8")
    refused = await town.service.http.post(path, json={"content": content}, headers=headers)
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (400, "Idempotency-Key")
    told = await _graphql(member, SEND, {"idempotencyKey": bad}, id=str(town.event_id), content=content)
    assert told["errors"][0]["extensions"]["errors"][0]["path"] == "extensions.idempotencyKey"
    assert await _said(town, content) == 0


async def test_two_keys_are_one_too_many(town: Town, member: Client) -> None:
    twice = await _post(member, f"/api/v1/events/{town.event_id}/messages", {"content": "twice"}, "one", "two")
    assert (twice.status_code, twice.json()["errors"][0]["message"]) == (400, "is given more than once")
    differ = await _graphql(member.with_key("one"), SEND, {"idempotencyKey": "two"}, id=str(town.event_id), content="x")
    assert differ["errors"][0]["extensions"]["errors"][0]["path"] == "extensions.idempotencyKey"
    for extensions in ({"idempotencyKey": 7}, {"atomic": "yes"}):
        (name,) = extensions
        told = await _graphql(member, SEND, extensions, id=str(town.event_id), content="x")
        assert told["errors"][0]["extensions"]["errors"][0]["path"] == f"extensions.{name}"


@pytest.mark.parametrize("way", Way)
async def test_one_in_flight_is_told_so_and_leaves_no_trace_when_it_fails(town: Town, key: str, way: Way) -> None:
    owner = town.client(Standing.OWNER)
    event_id = await make_event(owner)
    guest = (await sign_in(town.service, f"A guest by {way}")).client.with_key(key)
    async with maintenance(town.service.urls) as below, asyncio.TaskGroup() as group:
        async with below.transaction():
            await below.execute("update events set title = 'Busy' where id = $1", event_id)
            first = group.create_task(guest.call("joinEvent", eventId=event_id))
            await _until_waiting(below)
            second = await guest.call("joinEvent", way=way, eventId=event_id)
        assert (second.status, second.code, second.problem["retryAfter"]) == (409, "IDEMPOTENCY_IN_PROGRESS", 1)
    third = await guest.call("joinEvent", way=way, eventId=event_id)
    assert (third.ok(), third.replayed) == (first.result().ok(), True)


async def _until_waiting(below: Any) -> None:
    """Wait until somebody waits for a lock of this connection."""
    async with asyncio.timeout(10):
        while not await below.fetchval(  # noqa: ASYNC110 - PostgreSQL does not say when somebody begins to wait
            "select count(*) from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
        ):
            await asyncio.sleep(0.01)


async def test_in_flight_says_when_to_come_again(town: Town, member: Client, key: str) -> None:
    body = {"content": "a slow one"}
    path = f"/api/v1/events/{town.event_id}/messages"
    async with maintenance(town.service.urls) as below, asyncio.TaskGroup() as group, below.transaction():
        await below.execute("select from rooms where id = $1 for update", town.event_id)
        group.create_task(_post(member, path, body, key))
        await _until_waiting(below)
        refused = await _post(member, path, body, key)
    assert (refused.status_code, refused.headers["retry-after"]) == (409, "1")
    assert await _said(town, "a slow one") == 1


async def test_many_at_once_are_one(town: Town, member: Client, key: str) -> None:
    said: Any = {"eventId": town.event_id, "content": "all at once"}
    answers = await asyncio.gather(*(member.with_key(key).call("sendEventMessage", **said) for _ in range(20)))
    assert {answer.code for answer in answers} <= {None, "IDEMPOTENCY_IN_PROGRESS"}
    assert len({answer.data["id"] for answer in answers if answer.code is None}) == 1
    assert await _said(town, "all at once") == 1


async def test_a_refusal_that_changed_nothing_leaves_no_key(town: Town, key: str) -> None:
    owner = town.client(Standing.OWNER)
    draft = await make_event(owner, publish=False)
    talk: Any = {"id": draft, "reason": "it rains"}
    refused = await owner.with_key(key).call("cancelEvent", **talk)
    (await owner.call("publishEvent", id=draft)).ok()
    done = await owner.with_key(key).call("cancelEvent", **talk)
    assert (refused.status, done.ok()["status"], done.replayed) == (409, "CANCELLED", False)


@pytest.mark.parametrize("way", Way)
async def test_a_refusal_that_counts_is_kept(town: Town, key: str, way: Way) -> None:
    email = f"{way.lower()}@example.org"
    user_id = await register(town.service, email)
    session = (await Client(town.service).call("login", email=email, password=PASSWORD)).ok()
    client = Client(town.service, session["accessToken"]).with_key(key)
    given = {"oldPassword": "not this one at all", "newPassword": "a new long enough one"}
    first = await client.call("changePassword", way=way, **given)
    again = await client.call("changePassword", way=way, **given)
    assert (first.status, first.code, first.problem) == (again.status, again.code, again.problem)
    assert (first.code, again.replayed) == ("WRONG_PASSWORD", True)
    assert await value(town.service.urls, "select failures from passwords where id = $1", user_id) == 1
    changed = {"oldPassword": PASSWORD, "newPassword": "a new long enough one"}
    for replayed in (False, True):
        answer = await client.with_key(f"{key}-2").call("changePassword", way=way, **changed)
        assert (answer.ok(), answer.replayed) == (True, replayed)


@pytest.mark.parametrize("way", Way)
async def test_who_is_nobody_is_known_by_the_whole_request(town: Town, key: str, way: Way) -> None:
    anonymous = Client(town.service).with_key(key)
    ann, bob = account(f"ann-{way}@example.org".lower()), account(f"bob-{way}@example.org".lower())
    answers = [await anonymous.call("register", way=way, input=each) for each in (ann, ann, bob)]
    assert [answer.replayed for answer in answers] == [False, True, False]
    assert answers[0].ok() == answers[1].ok() == {"email": ann["email"]}
    told = await value(town.service.urls, "select count(*) from facts where kind = 'user.registered_again'")
    assert told == 0


@pytest.mark.parametrize("way", Way)
async def test_what_gives_out_secrets_takes_no_key(town: Town, key: str, way: Way) -> None:
    refused = await Client(town.service).with_key(key).call("devLogin", way=way, name="Keyed")
    assert (refused.status, refused.code) == (400, "IDEMPOTENCY_NOT_OFFERED")
    assert refused.problem["errors"][0]["path"] == "Idempotency-Key"
    assert await value(town.service.urls, "select count(*) from users where name = 'Keyed'") == 0


async def test_a_repeat_asks_for_rights_again(town: Town, key: str) -> None:
    person = await sign_in(town.service, "Soon gone")
    client = person.client.with_key(key)
    (await client.call("joinEvent", eventId=town.event_id)).ok()
    (await person.client.call("logout")).ok()
    assert (await client.call("joinEvent", eventId=town.event_id)).code == "UNAUTHENTICATED"


async def test_nothing_of_a_request_can_be_read_from_its_key(town: Town, key: str) -> None:
    secret = "an unusual pass phrase"
    (await Client(town.service).with_key(key).call("register", input=account("keyed@example.org", secret))).ok()
    rows = await ask(town.service.urls, "select k::text from idempotency_keys k")
    assert not [row for (row,) in rows if secret in row or key in row]


async def test_a_key_on_a_read_changes_nothing(town: Town, member: Client) -> None:
    assert (await member.with_key("not a key").call("event", id=town.event_id)).ok()["id"] == str(town.event_id)
    assert (await member.with_key("not a key").call("event", way=Way.GRAPHQL, id=town.event_id)).ok()


async def test_a_key_is_forgotten_after_a_day(town: Town, member: Client, key: str) -> None:
    urls = town.service.urls
    (await member.with_key(key).call("muteEvent", eventId=town.event_id, muted=True)).ok()
    before = await value(urls, "select count(*) from idempotency_keys")
    async with working(urls) as work:
        await work.pass_to(datetime.now(UTC) + timedelta(hours=23))
        assert await value(urls, "select count(*) from idempotency_keys") == before > 0
        await work.pass_to(datetime.now(UTC) + timedelta(hours=25))
        assert await value(urls, "select count(*) from idempotency_keys") == 0
    again = await member.with_key(key).call("muteEvent", eventId=town.event_id, muted=True)
    assert (again.code, again.replayed) == (None, False)

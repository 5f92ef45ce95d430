"""Several things as one: the batch of REST, and mutations of one document in one transaction."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from muster.identity.tests.people import PASSWORD
from muster.kit.commands.command import COMMANDS
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.rest.batch import MOST_OPERATIONS
from muster.kit.ids import new_id
from muster.testing.below import ask, snapshot, value
from muster.testing.client import Client
from muster.testing.people import Standing, sign_in
from muster.testing.serving import serving
from muster.testing.town import Town, make_event, settle

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_urls: Urls) -> Any:
    async with serving(module_urls) as service:
        yield await settle(service)


@pytest.fixture
def owner(town: Town) -> Client:
    return town.client(Standing.OWNER)


async def _batch(client: Client, *operations: object) -> httpx.Response:
    body = {"operations": operations}
    return await client.service.http.post("/api/v1/batch", json=body, headers=client.headers())


def _say(event_id: UUID, content: str, **more: str) -> dict[str, Any]:
    path = f"/api/v1/events/{event_id}/messages"
    return {"method": "POST", "path": path, "body": {"content": content}, **more}


def _joining(event_id: UUID) -> dict[str, Any]:
    return {"method": "POST", "path": f"/api/v1/events/{event_id}/members"}


async def _atomic(client: Client, document: str, **extensions: object) -> Any:
    body = {"query": document, "extensions": {"atomic": True, **extensions}}
    return (await client.service.http.post("/graphql", json=body, headers=client.headers())).json()


async def test_a_batch_happens_in_order_and_answers_for_each(town: Town, owner: Client) -> None:
    draft = await make_event(owner, publish=False)
    done = await _batch(
        owner,
        {"method": "PATCH", "path": f"/api/v1/events/{draft}", "body": {"title": "Renamed"}, "id": "rename"},
        {"method": "POST", "path": f"/api/v1/events/{draft}/publication"},
        _say(draft, "It is on", id="say"),
        {"method": "DELETE", "path": "/api/v1/auth/sessions?stayHere=true"},
    )
    assert done.status_code == 200, done.text
    renamed, published, said, left = done.json()["results"]
    assert (renamed["id"], renamed["status"], renamed["body"]["title"]) == ("rename", 200, "Renamed")
    assert (published["status"], published["body"]["status"]) == (200, "PUBLISHED")
    assert (said["status"], said["body"]["content"]) == (201, "It is on")
    assert left == {"status": 204}
    verbs = await ask(town.service.urls, "select verb, outcome from audit_rows order by id desc limit 4")
    assert [verb for verb, _ in reversed(verbs)] == [
        "updateEvent",
        "publishEvent",
        "sendEventMessage",
        "logoutEverywhere",
    ]


async def test_the_first_failure_undoes_all_and_is_named(town: Town, owner: Client) -> None:
    before = await snapshot(town.service.urls)
    refused = await _batch(
        owner,
        _say(town.event_id, "never said"),
        {"method": "DELETE", "path": f"/api/v1/events/{town.event_id}/members/me", "id": "leave"},
        _say(town.event_id, "nor this"),
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "OWNER_STAYS")
    path = f"/api/v1/events/{town.event_id}/members/me"
    assert refused.json()["operation"] == {"index": 1, "method": "DELETE", "path": path, "id": "leave"}
    assert await snapshot(town.service.urls) == before


async def test_rights_are_asked_for_each(town: Town) -> None:
    member = town.client(Standing.MEMBER)
    publication = {"method": "DELETE", "path": f"/api/v1/events/{town.event_id}/publication"}
    refused = await _batch(member, _say(town.event_id, "may I"), publication)
    assert (refused.status_code, refused.json()["code"], refused.json()["operation"]["index"]) == (
        403,
        "NOT_ORGANISER",
        1,
    )
    assert await value(town.service.urls, "select count(*) from messages where content = 'may I'") == 0
    person = await sign_in(town.service, "Leaving in the middle")
    gone = await _batch(person.client, {"method": "POST", "path": "/api/v1/auth/logout"}, _joining(town.event_id))
    assert (gone.status_code, gone.json()["operation"]["index"]) == (401, 1)
    (await person.client.call("me")).ok()
    anonymous = await _batch(Client(town.service), _joining(town.event_id))
    assert (anonymous.status_code, anonymous.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(
    ("operation", "status", "code"),
    [
        ({"method": "POST", "path": "/api/v1/batch", "body": {"operations": []}}, 404, "NOT_FOUND"),
        ({"method": "POST", "path": "/api/v1/nowhere"}, 404, "NOT_FOUND"),
        ({"method": "POST", "path": "/graphql"}, 404, "NOT_FOUND"),
        ({"method": "POST", "path": "/api/v1/events/%ff/members"}, 422, "VALIDATION_ERROR"),
        ({"method": "POST", "path": "/api/v1/events"}, 422, "VALIDATION_ERROR"),
        ({"method": "POST", "path": "/api/v1/events", "body": [1]}, 422, "VALIDATION_ERROR"),
        ({"method": "DELETE", "path": "/api/v1/auth/sessions?stayHere=%ff"}, 400, "BAD_USER_INPUT"),
        ({"method": "DELETE", "path": "/api/v1/auth/sessions?colour=red"}, 422, "VALIDATION_ERROR"),
    ],
)
async def test_an_operation_that_is_none_is_named(owner: Client, operation: Any, status: int, code: str) -> None:
    refused = await _batch(owner, {"method": "POST", "path": "/api/v1/notifications/reading"}, operation)
    assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert refused.json()["operation"] == {"index": 1, "method": operation["method"], "path": operation["path"]}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (None, ""),
        ([], ""),
        ({}, "operations"),
        ({"operations": []}, "operations"),
        ({"operations": [{"path": "/"}]}, "operations[0].method"),
        ({"operations": [{"method": "GET", "path": "/"}]}, "operations[0].method"),
        ({"operations": [{"method": "POST", "path": "/", "headers": {}}]}, "operations[0].headers"),
        ({"operations": [{"method": "POST", "path": "/api/v1/auth/logout"}] * (MOST_OPERATIONS + 1)}, "operations"),
    ],
)
async def test_a_batch_that_is_none_is_refused(owner: Client, body: Any, path: str) -> None:
    refused = await owner.service.http.post("/api/v1/batch", json=body, headers=owner.headers())
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, path), refused.text


async def test_what_counts_even_where_it_is_refused_runs_alone() -> None:
    assert {each.name for each in COMMANDS.values() if each.alone} == {
        "changePassword",
        "completeLogin",
        "confirmTotp",
        "devLogin",
        "finishSignIn",
        "login",
        "loginWithPasskey",
        "pollDeviceSignIn",
        "proveDomain",
        "publishEventTyping",
        "refreshSession",
        "signInByLink",
        "stepUp",
    }


async def test_nobody_tries_passwords_by_the_batch(town: Town, owner: Client) -> None:
    attempt = {"method": "POST", "path": "/api/v1/auth/login", "body": {"email": "a@example.org", "password": PASSWORD}}
    refused = await _batch(owner, attempt, attempt)
    assert (refused.status_code, refused.json()["code"], refused.json()["operation"]["index"]) == (400, "RUNS_ALONE", 0)
    alone = await _batch(Client(town.service), attempt)
    assert (alone.status_code, alone.json()["code"]) == (401, "WRONG_CREDENTIALS")
    field = f'login(email: "a@example.org", password: "{PASSWORD}") {{ accessToken }}'
    told = await _atomic(Client(town.service), f"mutation {{ a: {field} b: {field} }}")
    assert (told["data"], told["errors"][0]["extensions"]["code"]) == (None, "RUNS_ALONE")


async def test_what_a_batch_founds_is_entered_for_nothing_else(town: Town) -> None:
    person = await sign_in(town.service, "Founds and joins")
    body = {"slug": f"town-{new_id().hex[-12:]}", "name": "Founded on the way"}
    done = await _batch(
        person.client.with_key("found"),
        {"method": "POST", "path": "/api/v1/tenants", "body": body},
        _joining(town.event_id),
        {"method": "POST", "path": "/api/v1/tenants", "body": {**body, "slug": body["slug"] + "-2"}},
    )
    assert [each["status"] for each in done.json()["results"]] == [201, 201, 201]
    assert done.json()["results"][1]["body"]["status"] == "WAITLIST"
    kept = await value(
        town.service.urls,
        "select count(*) from idempotency_keys where user_id = $1 and outcome is not null",
        person.user_id,
    )
    assert kept == 1


async def test_a_batch_has_one_key(town: Town, owner: Client) -> None:
    keyed = owner.with_key("of-a-batch")
    operations = [_say(town.event_id, "one of two"), _say(town.event_id, "two of two", id="second")]
    first, again = await _batch(keyed, *operations), await _batch(keyed, *operations)
    assert first.json() == again.json()
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    assert await value(town.service.urls, "select count(*) from messages where content = 'two of two'") == 1
    other = await _batch(keyed, *reversed(operations))
    assert (other.status_code, other.json()["code"]) == (422, "IDEMPOTENCY_MISMATCH")


@pytest.mark.parametrize("verb", ["join", "say"])
async def test_batches_that_take_the_same_events_in_opposite_order_all_happen(
    town: Town, owner: Client, verb: str
) -> None:
    events = [await make_event(owner, max=100) for _ in range(2)]
    people = [await sign_in(town.service, f"Crosses {number}") for number in range(4)]
    if verb == "say":
        await asyncio.gather(*(person.client.call("joinEvent", eventId=each) for person in people for each in events))
    operations = [[_joining(each) if verb == "join" else _say(each, "hello") for each in events] for _ in people]
    answers = await asyncio.gather(
        *(
            _batch(person.client, *(each if number % 2 else reversed(each)))
            for number, (person, each) in enumerate(zip(people, operations, strict=True))
        )
    )
    done = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert done
    table, condition = ("event_members", "status = 'JOINED'") if verb == "join" else ("messages", "content = 'hello'")
    column = "event_id" if verb == "join" else "room_id"
    counted = f"select count(*) from {table} where {condition} and {column} = any($1::uuid[])"  # noqa: S608 - our own names
    expected = 2 * len(done) + (2 if verb == "join" else 0)
    assert await value(town.service.urls, counted, events) == expected


async def test_mutations_of_one_document_happen_as_one(town: Town, owner: Client) -> None:
    said = f'sendEventMessage(eventId: "{town.event_id}", content: "%s") {{ content }}'
    done = await _atomic(
        owner, f"mutation {{ a: {said % 'first'} __typename b: {said % 'then'} }}", idempotencyKey="both"
    )
    assert done == {"data": {"a": {"content": "first"}, "__typename": "Mutation", "b": {"content": "then"}}}
    again = await _atomic(owner, f"mutation {{ a: {said % 'first'} b: {said % 'then'} }}", idempotencyKey="both")
    assert (again["data"]["b"], again["extensions"]) == ({"content": "then"}, {"idempotencyReplayed": True})
    assert await value(town.service.urls, "select count(*) from messages where content in ('first', 'then')") == 2


@pytest.mark.parametrize(
    ("failing", "code"),
    [
        ('leaveEvent(eventId: "%s") { id }', "OWNER_STAYS"),
        ('sendEventMessage(eventId: "%s", content: "") { id }', "VALIDATION_ERROR"),
    ],
)
async def test_one_mutation_that_fails_undoes_the_others(town: Town, owner: Client, failing: str, code: str) -> None:
    said = f'sendEventMessage(eventId: "{town.event_id}", content: "undone") {{ content }}'
    told = await _atomic(owner, f"mutation {{ a: {said} b: {failing % town.event_id} c: {said} }}")
    (error,) = told["errors"]
    assert (told["data"], error["path"], error["extensions"]["code"]) == (None, ["b"], code)
    assert await value(town.service.urls, "select count(*) from messages where content = 'undone'") == 0


async def test_without_asking_each_mutation_happens_by_itself_and_one_key_is_too_few(town: Town, owner: Client) -> None:
    said = f'sendEventMessage(eventId: "{town.event_id}", content: "by itself") {{ content }}'
    document = f'mutation {{ a: {said} b: leaveEvent(eventId: "{town.event_id}") {{ id }} }}'
    told = await _atomic(owner, document, atomic=False)
    assert (told["data"], told["errors"][0]["path"]) == ({"a": {"content": "by itself"}, "b": None}, ["b"])
    refused = await _atomic(owner, document, atomic=False, idempotencyKey="one-for-two")
    assert refused["errors"][0]["message"].startswith("extensions.idempotencyKey: is for one transaction")
    assert await value(town.service.urls, "select count(*) from messages where content = 'by itself'") == 1

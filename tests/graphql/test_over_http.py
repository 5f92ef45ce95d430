"""GraphQL over HTTP: every MUST and SHOULD of https://graphql.github.io/graphql-over-http/draft/ for a server.

The ids are those of the audits in the npm package graphql-http, which test_audit.py runs as they are.
"""

import json
from typing import Any

import httpx
import pytest

from muster.kit.endpoints.graphql.http import GRAPHQL_JSON
from muster.testing.people import Standing
from muster.testing.town import Town

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"
TYPENAME = "{ __typename }"
OK = {"data": {"__typename": "Query"}}
NAMED = "query Type($name: String!) { __type(name: $name) { name } }"


async def _post(town: Town, body: object, **headers: str | None) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    whole = {"content-type": JSON} | {name.replace("_", "-"): value for name, value in headers.items()}
    # httpx adds an `Accept` of its own, and there is no other way to have none.
    request = town.service.http.build_request("POST", "/graphql", content=content)
    del request.headers["accept"]
    request.headers.update({name: value for name, value in whole.items() if value is not None})
    return await town.service.http.send(request)


async def _get(town: Town, accept: str = GRAPHQL_JSON, method: str = "GET", **parameters: str) -> httpx.Response:
    http = town.service.http
    return await http.request(method, "/graphql", params=parameters, headers={"accept": accept})


def _type(response: httpx.Response) -> str:
    media_type, _, charset = response.headers["content-type"].partition("; ")
    assert charset == "charset=utf-8"
    return str(media_type)


ACCEPT = {
    "22EB the newer type": (GRAPHQL_JSON, GRAPHQL_JSON),
    "4655 the older type": (JSON, JSON),
    "47DE anything": ("*/*", JSON),
    "none at all: the newer type, since 2025": (None, GRAPHQL_JSON),
    "any JSON": ("application/*", JSON),
    "with an encoding": (f"{GRAPHQL_JSON}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL_JSON),
    "the order of the list decides": (f"{JSON}, {GRAPHQL_JSON}", JSON),
    "weights decide before the order": (f"{JSON};q=0.8, {GRAPHQL_JSON};q=0.9", GRAPHQL_JSON),
    "a name before a wildcard": (f"*/*, {GRAPHQL_JSON}", GRAPHQL_JSON),
    "the closest range has the weight": (f"*/*;q=1, {JSON};q=0", GRAPHQL_JSON),
    "in capitals": ("APPLICATION/JSON", JSON),
    "as Apollo Client sends it": (f"{GRAPHQL_JSON},{JSON};q=0.9", GRAPHQL_JSON),
    "as urql sends it": (
        f"{GRAPHQL_JSON}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed",
        GRAPHQL_JSON,
    ),
}


@pytest.mark.parametrize("name", ACCEPT)
async def test_the_answer_has_the_type_that_the_client_likes_best(name: str, town: Town) -> None:
    accept, media_type = ACCEPT[name]
    response = await _post(town, {"query": TYPENAME}, accept=accept)
    assert (response.status_code, _type(response), response.json()) == (200, media_type, OK)
    assert response.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize("accept", ["text/html", f"{JSON};q=0", "text/html, image/*", f"{JSON};q=nan", "nonsense"])
async def test_a_client_that_takes_neither_type_is_refused(accept: str, town: Town) -> None:
    response = await _post(town, {"query": TYPENAME}, accept=accept)
    assert (response.status_code, _type(response)) == (406, GRAPHQL_JSON)
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


# Not a request of GraphQL over HTTP: refused with its status, whatever the client takes.
MALFORMED: dict[str, tuple[object, int]] = {
    "A5BF no body": (b"", 400),
    "BCF8 no JSON": (b'{ "not a JSON', 400),
    "423L no query": ({"notquery": TYPENAME}, 400),
    "3E3A a typing error": ({"qeury": TYPENAME}, 400),
    "LKJ0 an object for the query": ({"query": {"obj": "ect"}}, 400),
    "LKJ1 a number for the query": ({"query": 0}, 400),
    "LKJ2 a boolean for the query": ({"query": False}, 400),
    "LKJ3 a list for the query": ({"query": ["array"]}, 400),
    "6C00 an object for the operation": ({"query": TYPENAME, "operationName": {}}, 400),
    "6C01 a number for the operation": ({"query": TYPENAME, "operationName": 0}, 400),
    "4760 text for the variables": ({"query": TYPENAME, "variables": "string"}, 400),
    "4763 a list for the variables": ({"query": TYPENAME, "variables": ["array"]}, 400),
    "58B0 text for the extensions": ({"query": TYPENAME, "extensions": "string"}, 400),
    "58B3 a list for the extensions": ({"query": TYPENAME, "extensions": ["array"]}, 400),
    "a batch": ([{"query": TYPENAME}, {"query": TYPENAME}], 400),
}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_no_request_is_refused(name: str, accept: str, town: Town) -> None:
    body, status = MALFORMED[name]
    response = await _post(town, body, accept=accept)
    assert (response.status_code, _type(response)) == (status, accept)
    assert set(response.json()) == {"errors"}
    if name == "a batch":
        assert "one operation" in response.json()["errors"][0]["message"]


# A request that GraphQL refuses: 200 in application/json, 400 in application/graphql-response+json.
REFUSED = {
    "572B 865D 556A it cannot be parsed": {"query": "{"},
    "FDE2 51FE 74FF it is not valid": {"query": "{ nothing }"},
    "7B9B 86EE a variable does not fit": {"query": NAMED, "variables": {"name": None}},
    "the operation is not there": {"query": "query a { __typename }", "operationName": "b"},
    "the operation is not named": {"query": "query a { __typename } query b { __typename }"},
    "there is no operation": {"query": "fragment a on Query { __typename }"},
    "it is too deep": {"query": "{ events { nodes { " + "members { nodes { event { " * 8 + "id" + " }" * 27},
}


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 400)])
@pytest.mark.parametrize("name", REFUSED)
async def test_what_graphql_refuses(name: str, accept: str, status: int, town: Town) -> None:
    response = await _post(town, REFUSED[name], accept=accept)
    assert (response.status_code, _type(response)) == (status, accept)
    # D586, 5E5B: no `data` when nothing ran.
    assert set(response.json()) == {"errors"}
    for error in response.json()["errors"]:
        assert next(iter(error["extensions"])) == "code"


@pytest.mark.parametrize(("accept", "status"), [(JSON, 200), (GRAPHQL_JSON, 401)])
async def test_a_field_for_people_only_is_refused_by_graphql(accept: str, status: int, town: Town) -> None:
    response = await _post(town, {"query": "{ me { id } }"}, accept=accept)
    assert response.status_code == status
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_a_bad_token_is_refused_by_http(accept: str, town: Town) -> None:
    response = await _post(town, {"query": TYPENAME}, accept=accept, authorization="Bearer nonsense")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    assert set(response.json()) == {"errors"}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_a_field_that_fails_leaves_a_partial_answer(accept: str, town: Town) -> None:
    text = 'mutation {\n  one: __typename\n  two: createTenant(input: {slug: "x", name: ""}) { id }\n}'
    headers = town.client(Standing.MEMBER).headers()
    response = await _post(town, {"query": text}, accept=accept, **headers)
    assert response.status_code == 200
    told = response.json()
    assert told["data"] == {"one": "Mutation", "two": None}
    (error,) = told["errors"]
    assert set(error) == {"message", "locations", "path", "extensions"}
    assert (error["locations"], error["path"]) == ([{"line": 3, "column": 3}], ["two"])
    assert next(iter(error["extensions"])) == "code"


PARAMETERS: dict[str, dict[str, Any]] = {
    "34A2 13EE a query": {"query": TYPENAME},
    "8161 B8B3 an operation": {"query": "query Query { __typename }", "operationName": "Query"},
    "94B0 0220 null for the variables": {"query": TYPENAME, "variables": None},
    "94B1 0221 null for the operation": {"query": TYPENAME, "operationName": None},
    "94B2 0222 null for the extensions": {"query": TYPENAME, "extensions": None},
    "an empty operation name is none": {"query": TYPENAME, "operationName": ""},
    "428F 1B7A extensions": {"query": TYPENAME, "extensions": {"some": "value"}},
    "names that are reserved": {"query": TYPENAME, "id": "later"},
    "the second of two operations": {"query": "query a { me { id } } query b { __typename }", "operationName": "b"},
}


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
@pytest.mark.parametrize("name", PARAMETERS)
async def test_parameters_of_a_post(name: str, accept: str, town: Town) -> None:
    response = await _post(town, PARAMETERS[name], accept=accept)
    assert (response.status_code, response.json()) == (200, OK)


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_variables(accept: str, town: Town) -> None:
    """2EA1, 28B9, and D6D5, 6A70 in an address."""
    posted = await _post(town, {"query": NAMED, "variables": {"name": "Event"}}, accept=accept)
    got = await _get(town, accept, query=NAMED, variables='{"name": "Event"}', extensions="{}", operationName="Type")
    for response in (posted, got):
        assert (response.status_code, response.json()) == (200, {"data": {"__type": {"name": "Event"}}})


CONTENT_TYPES = {
    "9ABE none": (None, 415),
    "03D4 JSON": (JSON, 200),
    "78D5 JSON in capitals": ("Application/JSON", 200),
    "BF61 JSON in UTF-8": ('application/json; charset="UTF-8"', 200),
    "another encoding": ("application/json; charset=latin1", 415),
    "a form": ("application/x-www-form-urlencoded", 415),
    "plain text": ("text/plain", 415),
    "bare GraphQL": ("application/graphql", 415),
}


@pytest.mark.parametrize("name", CONTENT_TYPES)
async def test_content_types(name: str, town: Town) -> None:
    content_type, status = CONTENT_TYPES[name]
    response = await _post(town, {"query": TYPENAME}, content_type=content_type)
    assert response.status_code == status
    assert set(response.json()) == ({"data"} if status == 200 else {"errors"})


async def test_text_beyond_ascii_comes_back_as_it_went(town: Town) -> None:
    """BF61, 82A3."""
    query = '{ events(filter: {text: "🏃🏊"}) { totalCount } __type(name: "Run🏃Swim🏊") { name } }'
    response = await _post(town, json.dumps({"query": query}, ensure_ascii=False).encode())
    assert response.json() == {"data": {"events": {"totalCount": 0}, "__type": None}}
    refused = await _post(town, json.dumps({"query": '{ a(b: "🏃") }'}, ensure_ascii=False).encode())
    assert json.loads(refused.content.decode())["errors"]


@pytest.mark.parametrize("accept", [JSON, GRAPHQL_JSON])
async def test_get_reads(accept: str, town: Town) -> None:
    """5A70, and 9C48: never runs a mutation, with 405 in either type."""
    assert (await _get(town, accept, query=TYPENAME, operationName="")).json() == OK
    mutation = await _get(town, accept, query='mutation { devLogin(name: "Nobody") { accessToken } }')
    assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")
    assert set(mutation.json()) == {"errors"}
    two = await _get(town, accept, query="query a { __typename } mutation b { logout }", operationName="a")
    assert two.json() == OK


async def test_a_subscription_is_sent_to_the_socket(town: Town) -> None:
    for response in (
        await _get(town, query="subscription { notificationAdded { cursor } }"),
        await _post(town, {"query": "subscription { notificationAdded { cursor } }"}),
    ):
        assert response.status_code == 400
        assert "graphql-transport-ws" in response.json()["errors"][0]["message"]


async def test_head_is_a_get_without_a_body(town: Town) -> None:
    response = await _get(town, method="HEAD", query=TYPENAME)
    assert (response.status_code, response.content) == (200, b"")
    assert (await _get(town, method="HEAD", query="{")).status_code == 400
    assert (await _get(town, method="HEAD", query="mutation { logout }")).status_code == 405


async def test_other_methods_are_refused(town: Town) -> None:
    """PUT and DELETE are of event streams."""
    response = await _get(town, method="PATCH", query=TYPENAME)
    assert response.status_code == 405
    taken = {"GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"}
    assert {each.strip() for each in response.headers["allow"].split(",")} == taken

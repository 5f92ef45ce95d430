"""A client that calls any declared endpoint by its name, over REST or GraphQL, and gets comparable answers."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

import httpx
import msgspec
from graphql import GraphQLField, GraphQLSchema

from muster.kit.commands.command import COMMANDS, Command
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.views.picks import Pick, whole, whole_page
from muster.kit.views.query import QUERIES, Query
from muster.kit.views.results import Payload, whole_payload
from muster.testing.described import assert_described
from muster.testing.serving import Service


class Way(StrEnum):
    """A way into an endpoint."""

    REST = "REST"
    GRAPHQL = "GRAPHQL"


@dataclass(frozen=True)
class Answer:
    """What came back, in a form that is the same for every way in.

    status: of HTTP, or what GraphQL says it would be. code: of the refusal; None when there is none.
    data: the result; `True` for a command that gives none; None when refused, or where GraphQL says null.
    problem: the refusal without what differs between any two requests. replayed: an earlier request got it first.
    """

    status: int
    code: str | None
    data: Any
    problem: Any = None
    replayed: bool = False

    @property
    def missing(self) -> bool:
        """Whether there is no such thing for this caller: REST answers 404, GraphQL null."""
        return self.code == "NOT_FOUND" or (self.code is None and self.data is None)

    def ok(self) -> Any:
        """The result; fails the test when the endpoint refused."""
        assert self.code is None, self.problem
        return self.data


@dataclass(frozen=True)
class Client:
    """One caller: who they are and which community they ask for.

    token: of their session; None is an anonymous caller. tenant: the header `X-Tenant`; None leaves it out.
    key: the header `Idempotency-Key`; None leaves it out.
    """

    service: Service
    token: str | None = None
    tenant: str | None = None
    key: str | None = None

    def in_tenant(self, tenant: object) -> "Client":
        """The same caller in a community, by id or slug."""
        return replace(self, tenant=str(tenant))

    def with_key(self, key: str) -> "Client":
        """The same caller with an idempotency key."""
        return replace(self, key=key)

    async def call(self, name: str, /, *, way: Way = Way.REST, **arguments: Any) -> Answer:
        """Call a command or query by its GraphQL name, asking for what REST always gives.

        arguments: as a client writes them (`eventId`), values as Python has them.
        """
        plain = msgspec.to_builtins(arguments)
        return await (self._rest(name, plain) if way == Way.REST else self._graphql(name, plain))

    async def document(self, text: str, /, **variables: Any) -> dict[str, Any]:
        """The whole response to a GraphQL document."""
        body = {"query": text, "variables": msgspec.to_builtins(variables)}
        response = await self.service.http.post("/graphql", json=body, headers=self.headers())
        found: dict[str, Any] = response.json()
        return found

    def headers(self) -> dict[str, str]:
        """The headers that say who calls and where to."""
        given = {
            "authorization": self.token and f"Bearer {self.token}",
            "x-tenant": self.tenant,
            "idempotency-key": self.key,
        }
        return {name: value for name, value in given.items() if value is not None}

    def request(self, name: str, arguments: dict[str, Any]) -> httpx.Request:
        """The request to an endpoint over REST. arguments: by their names on the wire, as JSON has them."""
        declared = endpoint(name)
        route = declared.route
        path, rest = route.template, dict(arguments)
        for key in list(rest):
            if f"{{{key}}}" in path:
                path = path.replace(f"{{{key}}}", str(rest.pop(key)))
        if route.sends_body:
            body = rest.pop("input") if set(rest) == {"input"} else rest
            return self.service.http.build_request(route.method, path, json=body, headers=self.headers())
        flat = {**rest, **rest.pop("filter", {})} if "filter" in rest else rest
        flat.pop("filter", None)
        given = dict(_as_texts(flat))
        return self.service.http.build_request(route.method, path, params=given, headers=self.headers())

    async def _rest(self, name: str, arguments: dict[str, Any]) -> Answer:
        response = await self.service.http.send(self.request(name, arguments))
        assert_described(name, response)
        replayed = response.headers.get("idempotency-replayed") == "true"
        if response.status_code == 204:
            return Answer(204, None, True, replayed=replayed)
        told = response.json()
        if response.status_code >= 400:
            return Answer(response.status_code, told["code"], None, _comparable(told), replayed)
        return Answer(response.status_code, None, told, replayed=replayed)

    async def _graphql(self, name: str, arguments: dict[str, Any]) -> Answer:
        told = await self.document(document_for(name, tuple(arguments)), **arguments)
        errors = told.get("errors")
        replayed = told.get("extensions", {}).get("idempotencyReplayed", False)
        if errors:
            problem = errors[0]["extensions"]
            return Answer(problem["status"], problem["code"], None, _comparable(problem), replayed)
        return Answer(200, None, told["data"]["answer"], replayed=replayed)


def endpoint(name: str) -> Command | Query:
    """The declared command or query of a name. Raises KeyError when there is none."""
    return COMMANDS[name] if name in COMMANDS else QUERIES[name]


def document_for(name: str, given: Iterable[str]) -> str:
    """A GraphQL document that calls an endpoint and asks for what REST gives, under the key `answer`.

    given: the arguments that variables of the same names fill.
    """
    declared = endpoint(name)
    field = _field(name)
    names = list(given)
    variables = ", ".join(f"${each}: {field.args[each].type}" for each in names)
    passed = ", ".join(f"{each}: ${each}" for each in names)
    kind = "mutation" if isinstance(declared, Command) else "query"
    head = f"{kind}({variables})" if names else kind
    call = f"{name}({passed})" if names else name
    return f"{head} {{ answer: {call}{_selection(_picks(declared))} }}"


@cache
def _schema() -> GraphQLSchema:
    return build_schema()


def _field(name: str) -> GraphQLField:
    root = _schema().mutation_type if name in COMMANDS else _schema().query_type
    assert root is not None
    found: GraphQLField = root.fields[name]
    return found


def _picks(declared: Command | Query) -> tuple[Pick, ...]:
    if isinstance(declared, Command):
        kind = declared.returns
        if kind is type(None):
            return ()
        return whole_payload(kind) if issubclass(kind, Payload) else whole(kind)
    return whole_page(declared.view, 0).picks if declared.paged else whole(declared.view)


def _selection(picks: tuple[Pick, ...]) -> str:
    if not picks:
        return ""
    inner = (
        f"{pick.name if pick.key == pick.name else f'{pick.key}: {pick.name}'}{_selection(pick.picks)}{_kinds(pick)}"
        for pick in picks
    )
    return f" {{ {' '.join(inner)} }}"


def _kinds(pick: Pick) -> str:
    """The selections of a union."""
    return f" {{ {' '.join(f'... on {name}{_selection(picks)}' for name, picks in pick.kinds)} }}" if pick.kinds else ""


def _as_texts(given: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Arguments as parameters of an address: null is left out, an object is written in parts."""
    for key, value in given.items():
        if isinstance(value, dict):
            yield from ((f"{key}[{part}]", text) for part, text in _as_texts(value))
        elif value is not None:
            yield key, _as_text(value)


def _as_text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_as_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _comparable(problem: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in problem.items() if key != "requestId"}

"""Compiled reads against a real database: what is null stays in its place, pages meet, and one statement does it all."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import ColumnElement, false, true

from muster.events.tables import Event
from muster.events.views import EventView
from muster.identity.tables import User
from muster.kit.caller import Claim, Origin
from muster.kit.commands.context import Services
from muster.kit.db.migrate import Urls
from muster.kit.endpoints.graphql.execution import GraphQL, GraphQLRequest
from muster.kit.endpoints.graphql.schema import build_schema
from muster.kit.errors import BadInput
from muster.kit.ids import new_id
from muster.kit.views.near import near, nearest
from muster.kit.views.page_arguments import read_page
from muster.kit.views.paging import ascending, best_match, finder
from muster.kit.views.picks import Pick
from muster.kit.views.plans import Plan, PlanCache, compile_plan, run_plan
from muster.kit.views.query import QUERIES
from muster.kit.views.tests.oracle_values import MOMENTS
from muster.kit.views.tests.oracle_world import MAIN
from muster.kit.views.tests.support import services_on
from muster.kit.views.view import VIEWS, View, Viewer, one, only_if

pytestmark = pytest.mark.asyncio(loop_scope="module")

_EVENT = """
insert into events (tenant_id, id, owner_id, title, description, starts_at, ends_at, timezone, meeting_kind, join_mode,
                    mode, min, visibility, status, joined_count, last_queue_number, created_at, version, updated_at)
values (%s, %s, %s, %s, '', %s, '2040-01-01', 'UTC', 'ONLINE', 'OPEN', 'CUSTOM', 1, 'PUBLIC', 'PUBLISHED', 1, 0, now(),
        1, now())
"""


@dataclass(frozen=True)
class Reader:
    """Reads as one member through GraphQL."""

    services: Services
    graphql: GraphQL
    urls: Urls
    origin: Origin
    owner: UUID

    async def ask(self, text: str, **variables: Any) -> Any:
        """The data of a document."""
        body = await self.graphql.run(self.graphql.read(GraphQLRequest(text, variables)), self.origin)
        return json.loads(body)["data"]

    def add_events(self, count: int, title: str = "a picnic") -> list[UUID]:
        """Published events of the owner's, four of them at each moment."""
        made = [new_id() for _ in range(count)]
        with psycopg.connect(self.urls.owner, autocommit=True) as connection:
            connection.execute("set muster.maintenance = 'on'")
            for number, event in enumerate(made):
                values = (MAIN, event, self.owner, title, MOMENTS[number // 4 % len(MOMENTS)])
                connection.execute(_EVENT, values)
        return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def reader(module_urls: Urls) -> AsyncIterator[Reader]:
    person = new_id()
    with psycopg.connect(module_urls.owner, autocommit=True) as connection:
        connection.execute("set muster.maintenance = 'on'")
        connection.execute("insert into users values (%s, 'Ada', 'ada@a.example', now(), now())", (person,))
        connection.execute(
            "insert into sessions (id, user_id, generation, created_at, refreshed_at, expires_at) "
            "values (%s, %s, 0, now(), now(), now() + interval '1 day')",
            (person, person),
        )
        connection.execute(
            "insert into members values (%s, %s, %s, 'participant', 'ACTIVE', now())", (MAIN, person, person)
        )
    async with services_on(module_urls.app, size=1) as services:
        origin = Origin(Claim(MAIN, person, person), datetime.now(UTC), "test")
        reader = Reader(services, GraphQL(services, build_schema()), module_urls, origin, person)
        reader.add_events(20)
        yield reader


async def _pages(reader: Reader, arguments: str, *, backwards: bool = False, size: int = 3) -> list[list[str]]:
    """Every page of the events, one after the other."""
    way, mark, end, more = (
        ("last", "before", "startCursor", "hasPreviousPage")
        if backwards
        else ("first", "after", "endCursor", "hasNextPage")
    )
    pages, cursor = [], None
    while True:
        text = f"""query($at: Cursor) {{ events({way}: {size}, {mark}: $at{arguments}) {{
            nodes {{ id }} pageInfo {{ {end} {more} }} }} }}"""
        page = (await reader.ask(text, at=cursor))["events"]
        pages.append([each["id"] for each in page["nodes"]])
        cursor = page["pageInfo"][end]
        if not page["pageInfo"][more]:
            return pages


ORDERS = ("", ", order: NEWEST", ', order: RELEVANCE, filter: {text: "picnic"}')


@pytest.mark.parametrize("arguments", ORDERS)
@pytest.mark.parametrize("size", [1, 3, 4, 5, 20, 100])
async def test_pages_meet(reader: Reader, arguments: str, size: int) -> None:
    (whole,) = await _pages(reader, arguments, size=100)
    assert len(set(whole)) == len(whole) >= 20
    forwards = await _pages(reader, arguments, size=size)
    backwards = await _pages(reader, arguments, size=size, backwards=True)
    assert [each for page in forwards for each in page] == whole
    assert [each for page in reversed(backwards) for each in page] == whole
    assert all(len(page) == size for page in forwards[:-1])
    assert all(len(page) == size for page in backwards[:-1])


@pytest.mark.parametrize("arguments", ORDERS)
async def test_a_page_keeps_its_place_when_rows_come(reader: Reader, arguments: str) -> None:
    text = f"""query($at: Cursor) {{ events(first: 5, after: $at{arguments}) {{
        nodes {{ id }} pageInfo {{ endCursor }} }} }}"""
    first = (await reader.ask(text))["events"]
    (whole,) = await _pages(reader, arguments, size=100)
    new = {str(each) for each in reader.add_events(8)}
    second = (await reader.ask(text, at=first["pageInfo"]["endCursor"]))["events"]
    seen = [each["id"] for each in first["nodes"]]
    after = [each["id"] for each in second["nodes"]]
    assert not {*seen} & {*after}
    old = [each for each in after if each not in new]
    assert old == whole[5 : 5 + len(old)]


async def test_a_page_of_nothing(reader: Reader) -> None:
    text = "{ events(first: 0) { nodes { id } edges { cursor } totalCount pageInfo { endCursor startCursor hasNextPage } } }"
    found = (await reader.ask(text))["events"]
    assert found["totalCount"] >= 20
    del found["totalCount"]
    information = {"endCursor": None, "startCursor": None, "hasNextPage": True}
    assert found == {"nodes": [], "edges": [], "pageInfo": information}


async def test_a_page_of_constants(reader: Reader) -> None:
    text = """{ events(first: 2, filter: {meetingKind: ONSITE}) { __typename pageInfo { __typename } }
                full: events(first: 2) { __typename nodes { __typename } edges { __typename node { __typename } } }
                __typename }"""
    assert await reader.ask(text) == {
        "events": {"__typename": "EventConnection", "pageInfo": {"__typename": "PageInfo"}},
        "full": {
            "__typename": "EventConnection",
            "nodes": [{"__typename": "Event"}] * 2,
            "edges": [{"__typename": "EventEdge", "node": {"__typename": "Event"}}] * 2,
        },
        "__typename": "Query",
    }


async def test_nulls_stay_in_their_places(reader: Reader) -> None:
    nullable = "onlineUrl address latitude longitude max publishedAt"
    found = (await reader.ask(f"{{ events(first: 20) {{ nodes {{ id {nullable} owner {{ email }} }} }} }}"))["events"]
    assert len(found["nodes"]) == 20
    for node in found["nodes"]:
        assert [node[name] for name in nullable.split()] == [None] * 6


@pytest.fixture
def shy_view() -> Iterator[type[View]]:
    """Events whose owners nobody may see."""

    class ShyOwnerView(View, of=User):
        def visible(user: Any, _viewer: Viewer) -> ColumnElement[bool]:  # noqa: N805 - a predicate, not a method
            return false()

        id: UUID
        name: str

    class ShyEventView(View, of=Event):
        filters = {"text": finder("finders.events_by_text")}
        orders = {"START": ascending(Event.starts_at), "RELEVANCE": best_match("text")}

        id: UUID
        address: str | None
        owner: ShyOwnerView | None = one("owner_id")

    yield ShyEventView
    del VIEWS["ShyOwnerView"], VIEWS["ShyEventView"]


async def test_a_list_of_twenty_stays_twenty_when_owners_are_hidden(reader: Reader, shy_view: type[View]) -> None:
    owner = Pick("owner", "owner", picks=(Pick("name", "name"),))
    pick = Pick("", "", 0, (Pick("nodes", "nodes", picks=(Pick("address", "address"), owner)),))
    slots = [read_page(shy_view, "test", {"first": 20}, {})]
    gate = reader.services.gate
    plan = compile_plan(gate, slots, [lambda compiler: compiler.page(shy_view, pick, lambda row: row.id.is_not(None))])
    _, bodies = await run_plan(reader.services.database, plan, reader.origin, slots)
    assert json.loads(bodies[0]) == {"nodes": [{"address": None, "owner": None}] * 20}


@pytest.mark.parametrize("shown", [True, False])
async def test_who_may_not_see_a_point_finds_nothing_near_it(reader: Reader, *, shown: bool) -> None:
    """Else asking again and again with ever smaller circles would tell where it is."""

    class CoyEventView(View, of=Event):
        filters = {"near": near(Event.latitude, Event.longitude)}
        orders = {"DISTANCE": nearest("near")}

        id: UUID
        latitude: float | None = only_if(lambda _event, _viewer: true() if shown else false())

    del VIEWS["CoyEventView"]
    with psycopg.connect(reader.urls.owner, options="-c muster.maintenance=on") as connection:
        connection.execute("update events set latitude = 7, longitude = 7")
    pick = Pick("", "", 0, (Pick("totalCount", "totalCount"),))
    given: dict[str, object] = {"filter": {"near": {"latitude": 7, "longitude": 7, "radiusKm": 20_040}}}
    slots, gate = [read_page(CoyEventView, "test", given, {})], reader.services.gate
    plan = compile_plan(
        gate, slots, [lambda compiler: compiler.page(CoyEventView, pick, lambda row: row.id.is_not(None))]
    )
    _, bodies = await run_plan(reader.services.database, plan, reader.origin, slots)
    with psycopg.connect(reader.urls.owner, options="-c muster.maintenance=on") as connection:
        connection.execute("update events set latitude = null, longitude = null")
    assert (json.loads(bodies[0])["totalCount"] > 0) is shown


@pytest.mark.parametrize("fields", ["id", "title description startsAt"])
async def test_several_hundred_fields(reader: Reader, fields: str) -> None:
    """More than the limit of aliases lets through, so that a view may have so many."""
    picks = tuple(Pick(f"a{n}", name) for n, name in enumerate(fields.split() * (600 // len(fields.split()))))
    pick = Pick("", "", 0, (Pick("nodes", "nodes", picks=picks),))
    slots, gate = [read_page(EventView, "events", {"first": 2}, {})], reader.services.gate
    plan = compile_plan(gate, slots, [lambda compiler: compiler.page(EventView, pick, lambda row: row.id.is_not(None))])
    _, bodies = await run_plan(reader.services.database, plan, reader.origin, slots)
    assert [len(node) for node in json.loads(bodies[0])["nodes"]] == [600, 600]


async def _statements(reader: Reader, text: str) -> list[str]:
    """What is sent to PostgreSQL while a document is answered."""
    sent: list[str] = []

    def note(query: asyncpg.connection.LoggedQuery) -> None:
        sent.append(query.query)

    async with reader.services.database.connection() as connection:
        connection.add_query_logger(note)
    try:
        await reader.ask(text)
        # The driver calls loggers in the next turn of the event loop.
        await asyncio.sleep(0)
    finally:
        async with reader.services.database.connection() as connection:
            connection.remove_query_logger(note)
    return sent


async def test_one_statement_whatever_the_rows(reader: Reader) -> None:
    text = """{ me { id } events(first: %d) { totalCount nodes { owner { name } members(first: 5) {
                totalCount nodes { waitlistPosition user { name } event { id } } } } } }"""
    few, many = await _statements(reader, text % 1), await _statements(reader, text % 20)
    assert len(few) == 1
    assert few == many


async def test_a_long_statement_is_parsed_once(reader: Reader) -> None:
    wanted = " ".join(f"a{n}: members(first: 1) {{ nodes {{ id }} }}" for n in range(25))
    text = f"{{ events(first: 1) {{ nodes {{ {wanted} }} }} }}"
    (statement,) = await _statements(reader, text)
    assert len(statement) > 20_000
    for _ in range(3):
        await reader.ask(text)
    async with reader.services.database.connection() as connection:
        query = "select count(*) from pg_prepared_statements where statement = $1"
        assert await connection.fetchval(query, statement) == 1
        calls = "select generic_plans + custom_plans from pg_prepared_statements where statement = $1"
        assert await connection.fetchval(calls, statement) == 4


async def test_a_plan_depends_on_shape_and_not_on_value(reader: Reader) -> None:
    async def sent(filters: str, page: str = "first: 2") -> str:
        (statement,) = await _statements(reader, f"{{ events({page}, filter: {filters}) {{ totalCount }} }}")
        return statement

    plain = await sent('{text: "a"}')
    assert await sent('{text: "\' or 1=1 --"}', "first: 7") == plain
    assert await sent('{text: "a", ownerId: null}') == plain
    assert await sent("{meetingKind: ONLINE}") != plain
    assert await sent('{text: "a", meetingKind: ONLINE}') not in (plain, await sent("{meetingKind: ONLINE}"))
    assert await sent('{text: "a"}', "last: 2") != plain
    assert "1=1" not in plain


async def test_the_plan_cache_is_bounded() -> None:
    made: list[int] = []
    cache = PlanCache(size=3)

    def plan(number: int) -> Plan:
        def make() -> Plan:
            made.append(number)
            return Plan.__new__(Plan)

        return cache.get(number, make)

    for number in (1, 2, 3, 1, 4, 1, 2):
        plan(number)
    assert made == [1, 2, 3, 4, 2]


async def test_shapes_of_an_operation_are_bounded(reader: Reader) -> None:
    names = [f"b{n}" for n in range(8)]
    defined = ", ".join(f"${name}: Boolean!" for name in names)
    fields = " ".join(f"{name}: id @include(if: ${name})" for name in names)
    text = f"query({defined}) {{ me {{ id {fields} }} }}"
    for number in range(256):
        wanted = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        operation = reader.graphql.read(GraphQLRequest(text, wanted))
        body = json.loads(await reader.graphql.run(operation, reader.origin))
        assert {*body["data"]["me"]} == {"id", *(name for name, value in wanted.items() if value)}
        assert len(operation.document.shapes) <= 64


async def test_cursors_fit_their_list_order_and_filter_only(reader: Reader) -> None:
    text = "query($at: Cursor, $order: EventOrder, $filter: EventFilter) { events(first: 2, after: $at, order: $order, filter: $filter) { pageInfo { endCursor } } }"
    cursor = (await reader.ask(text))["events"]["pageInfo"]["endCursor"]
    await reader.ask(text, at=cursor)
    await reader.ask(text, at=cursor, order="START", filter={"ownerId": None})
    for others in ({"order": "NEWEST"}, {"filter": {"joinMode": ["OPEN"]}}):
        with pytest.raises(BadInput, match="another list, order or filter"):
            await reader.ask(text, at=cursor, **others)
    for damaged in (cursor[:-1], cursor[1:], cursor.swapcase(), "", "=", base64.b64encode(b"\x1f\x1f").decode()):
        with pytest.raises(BadInput, match="no cursor of ours"):
            await reader.ask(text, at=damaged)


async def test_a_cursor_by_rank_gives_the_very_next_row(reader: Reader) -> None:
    """A rank that lost digits on its way through the cursor would skip rows or repeat them."""
    for words in ("a picnic picnic", "picnic and no picnic of ours", "one long way to a picnic"):
        reader.add_events(2, words)
    pages = await _pages(reader, ORDERS[2], size=1)
    (whole,) = await _pages(reader, ORDERS[2], size=100)
    assert [each for page in pages for each in page] == whole


async def test_merged_introspection(reader: Reader) -> None:
    text = '{ __schema { queryType { name } } __schema { mutationType { name } } t: __type(name: "Event") { name } }'
    assert await reader.ask(text) == {
        "__schema": {"queryType": {"name": "Query"}, "mutationType": {"name": "Mutation"}},
        "t": {"name": "Event"},
    }


async def test_aliases_never_take_the_names_that_sqlalchemy_gives(reader: Reader) -> None:
    """A predicate's own alias of the table that is read must not hide the row it is about."""
    query = QUERIES["myMembershipForEvent"]
    slots = [query.read({"eventId": str(new_id())})]
    pick = Pick("", "", 0, (Pick("waitlistPosition", "waitlistPosition"),))
    plan = compile_plan(reader.services.gate, slots, [lambda compiler: query.compile(compiler, pick)])
    assert "event_members_1.event_id = event_members__1.event_id" in plan.sql.text

"""Finding: how soon lists, searches and the map of a large community answer, as the role that serves asks.

python -m bench.finding                # a hundred thousand events of one community, and a hundred small ones beside it
python -m bench.finding --quick        # twenty thousand
MUSTER_BENCH_EVENTS=1000000 python -m bench.finding        # as many as are asked for
"""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
from psycopg import sql
from rich.status import Status

import muster.slices  # noqa: F401 - declares every query
from bench.chapters import Chapter, Column, Match, at_most, program
from bench.data import work_folder
from muster.access.gate import GATE
from muster.events.map.grid import Tile, column_of, row_of
from muster.events.map.reading import read_filters, tile_plan, tile_slot
from muster.events.tallies.jobs import fold
from muster.kit.caller import Claim, Origin
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.database import Database
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, embedded_urls, migrate, provision
from muster.kit.db.time_limits import PATIENT
from muster.kit.views.picks import SlotValues, whole_page
from muster.kit.views.plans import Plan, compile_plan
from muster.kit.views.query import QUERIES
from muster.settings import Settings

_LARGE = UUID(int=1)
_SMALL = 100
"""How many communities there are beside the large one, with a thousandth of its events each."""
_COLUMNS = (
    Column("p50", "p50 ms", ".1f"),
    Column("p99", "p99 ms", ".1f"),
    Column("worst", "worst ms", ".1f"),
    Column("rows", "rows of an answer", ".0f"),
)
_TARGET = 50
_NOTES = """
One community with very many events, upcoming ones in fifty cities and around them, and a hundred small communities in the
same tables. Each figure is of different requests, one after the other, as the compiler writes them and as the role that
serves runs them: under row security, prepared, with one plan for all values. The time is that of PostgreSQL and the way
there, without HTTP.

Words are as common as in speech: the n-th is in one of n events. Tiles are those that a map asks for whose visitor looks
at some city at some zoom.
"""
# `:count` is how many events; places are fifty cities, the n-th with one n-th as many events as the first.
_FILL = """
create temporary table cities as
select n as city, -60 + (n * 7919 %% 1250) / 10.0 as latitude, -180 + (n * 104729 %% 3600) / 10.0 as longitude
  from generate_series(1, 50) as n;
insert into events (tenant_id, id, owner_id, title, description, starts_at, ends_at, timezone, meeting_kind, latitude,
                    longitude, join_mode, mode, min, visibility, status, published_at, joined_count, last_queue_number,
                    created_at, version, updated_at, city, country, levels, price, currency, boosted_until)
select %(tenant)s, uuidv7(), %(owner)s, 'Evening ' || n || ' of word' || floor(1000 ^ random())::int,
       'We meet, talk and play word' || floor(1000 ^ random())::int || ' and word' || floor(1000 ^ random())::int,
       '2040-01-01'::timestamptz + n * interval '1 minute', '2040-01-01'::timestamptz + (n + 120) * interval '1 minute',
       'UTC', (array['ONSITE', 'ONSITE', 'HYBRID'])[n %% 3 + 1], least(89, c.latitude + (random() - 0.5) * random() * 2),
       greatest(-180, c.longitude + (random() - 0.5) * random() * 2), 'OPEN', 'CUSTOM', 1,
       case n %% 20 when 19 then 'HIDDEN' else 'PUBLIC' end, 'PUBLISHED', now(), floor(500 ^ random()), 0, now(), 1, now(),
       'City ' || city, 'Land', case n %% 10 when 9 then '{BEGINNER}'::text[] else '{}' end, n %% 3 * 500, 'EUR',
       case n %% 10000 when 99 then '2039-12-01T10:00:00Z'::timestamptz end
  from (select n, floor(50 ^ random())::int as city from generate_series(1, %(count)s) as n) as made
  join cities as c using (city);
insert into topics (tenant_id, id, kind, slug, names, created_at, updated_at)
select %(tenant)s, uuidv7(), 'CATEGORY', 'topic' || n, '{}', now(), now() from generate_series(1, 50) as n;
insert into event_categories (tenant_id, id, event_id, topic_id)
select e.tenant_id, uuidv7(), e.id, t.id
  from (select tenant_id, id, 'topic' || floor(50 ^ random())::int as slug from events where tenant_id = %(tenant)s) as e
  join topics as t using (tenant_id, slug);
drop table cities;
"""
# Made anew once the rows are there, which is quicker than keeping them.
_INDEXES = """
select i.indexname, i.indexdef from pg_indexes as i
 where i.tablename in ('events', 'event_categories')
   and not exists (select from pg_constraint as c where c.conname = i.indexname)
"""
_TENANT = """
insert into tenants (id, slug, name, is_default, allows_unverified, created_at)
values (%(tenant)s, %(slug)s, 'Town', false, false, now());
insert into users (id, name, email, created_at) values (%(owner)s, 'Owner', %(slug)s, now());
insert into members (tenant_id, id, user_id, role, status, joined_at)
values (%(tenant)s, uuidv7(), %(owner)s, 'participant', 'ACTIVE', now());
"""


def measure(*, quick: bool, peers: bool, status: Status) -> Chapter:
    """Make the rows, then ask. peers: there are none."""
    asked = 200 if quick else 1_000
    count = int(os.environ.get("MUSTER_BENCH_EVENTS", "20000" if quick else "100000"))
    chapter = Chapter("finding", f"Finding among {count:,} events", _NOTES)
    with ExitStack() as stack:
        status.update("finding: PostgreSQL")
        server = stack.enter_context(EmbeddedPostgres(work_folder(Settings.load().data_dir) / "postgres"))
        urls = stack.enter_context(_filled(server, count, status))
        chance = random.Random("what people look for")
        match = Match(f"the community of {count:,}, {asked} requests of each kind", _COLUMNS)
        for title, requests in _requests(chance, asked).items():
            status.update(f"finding: {title}")
            match.add(title, _timed(urls, requests))
        chapter.matches.append(match)
        chapter.targets += [
            each
            for title in match.rounds
            for each in at_most(f"{title}, p99", _TARGET, match.median(title, "p99"), " ms")
        ]
        chapter.versions["PostgreSQL"] = _version(urls)
    return chapter


Request = tuple[Plan, list[object]]


def _requests(chance: random.Random, asked: int) -> Mapping[str, list[Request]]:
    """What is asked for, by the title of its row."""
    month = timedelta(days=30)

    def later() -> str:
        return (datetime(2040, 1, 1, tzinfo=UTC) + chance.random() * 20 * month).isoformat()

    def common(most: int) -> int:
        """A number that is the rarer the larger it is."""
        return int(most ** chance.random())

    lists: dict[str, Callable[[], dict[str, object]]] = {
        "the first page": dict,
        "from a day on": lambda: {"startsAfter": later()},
        "a category": lambda: {"category": [f"topic{common(50)}"]},
        "a category, from a day on": lambda: {"category": [f"topic{common(50)}"], "startsAfter": later()},
        "three categories": lambda: {"category": [f"topic{common(50)}" for _ in range(3)]},
        "a level, free": lambda: {"levels": ["BEGINNER"], "priceUpTo": 0},
        "a city": lambda: {"city": f"city {common(50)}"},
        "two kinds, from a day on": lambda: {"meetingKind": ["ONSITE", "HYBRID"], "startsAfter": later()},
        "a word": lambda: {"text": f"word{common(1000)}"},
        "two words": lambda: {"text": f"word{common(1000)} word{common(1000)}"},
        "a word mistyped": lambda: {"text": f"evenning wrod{common(1000)}"},
    }
    found = {f"list: {title}": [_listed(make()) for _ in range(asked)] for title, make in lists.items()}
    for title in ("a word", "two words", "a word mistyped"):
        found[f"list: {title}, RELEVANCE"] = [_listed(lists[title](), "RELEVANCE") for _ in range(asked)]
    for order in ("NEWEST", "MEMBERS", "BOOSTED"):
        found[f"list: a category, {order}"] = [_listed(lists["a category"](), order) for _ in range(asked)]
    for low, high in ((0, 5), (6, 10), (11, 16)):
        tiles = [_tile(chance.randint(low, high), _city(common(50))) for _ in range(asked)]
        found[f"tile: zoom {low} to {high}"] = [_tile_request(each) for each in tiles]
    return found


def _city(number: int) -> tuple[float, float]:
    return -60 + (number * 7919 % 1250) / 10, -180 + (number * 104729 % 3600) / 10


def _tile(zoom: int, place: tuple[float, float]) -> Tile:
    latitude, longitude = place
    return Tile(zoom, column_of(longitude) >> (28 - zoom), row_of(latitude) >> (28 - zoom))


_ORIGIN = Origin(Claim(_LARGE), datetime(2039, 12, 1, tzinfo=UTC), "bench")
_PLANS: dict[object, Plan] = {}


def _listed(filters: dict[str, object], order: str = "START") -> Request:
    query = QUERIES["events"]
    slots = [query.read({"order": order} | ({"filter": filters} if filters else {}))]
    pick = whole_page(query.view, 0)
    plan = _PLANS.get(slots[0].shape)
    if plan is None:
        plan = _PLANS[slots[0].shape] = compile_plan(GATE, slots, [lambda each: query.compile(each, pick)])
    return plan, plan.arguments(_ORIGIN, slots)


def _tile_request(tile: Tile) -> Request:
    slots: list[SlotValues] = [tile_slot(tile, read_filters({}, from_text=False))]
    plan = tile_plan(GATE, slots)
    return plan, plan.arguments(_ORIGIN, slots)


def _timed(urls: Urls, requests: list[Request]) -> dict[str, float]:
    """How long each took, the first few apart, which fill caches and make plans."""
    options = "-c plan_cache_mode=force_generic_plan -c jit=off -c timezone=UTC"
    times, rows = [], 0
    with psycopg.connect(urls.app, options=options, autocommit=True, prepare_threshold=0) as connection:
        cursor = psycopg.RawCursor(connection)
        for number, (plan, arguments) in enumerate([*requests[:10], *requests]):
            begun = time.perf_counter()
            body = cursor.execute(plan.sql.text.encode(), arguments).fetchone()
            times += [] if number < 10 else [(time.perf_counter() - begun) * 1000]
            rows += 0 if body is None else body[2].count('"title"') + body[2].count("[") - 1
    times.sort()
    return {
        "p50": times[len(times) // 2],
        "p99": times[int(len(times) * 0.99)],
        "worst": times[-1],
        "rows": rows / (len(times) + 10),
    }


@contextmanager
def _filled(server: EmbeddedPostgres, count: int, status: Status) -> Iterator[Urls]:
    """A database with the events, dropped at the end."""
    name = "benchfinding"
    drop = sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    with psycopg.connect(server.superuser_url(), autocommit=True) as connection:
        connection.execute(drop)
        try:
            urls = provision(server, database=name)
            status.update("finding: migrations")
            migrate(urls)
            _fill(urls, server.superuser_url(name), count, status)
            yield embedded_urls(server, database=name)
        finally:
            connection.execute(drop)


def _fill(urls: Urls, superuser_url: str, count: int, status: Status) -> None:
    written = "-c muster.maintenance=on -c synchronous_commit=on"
    with psycopg.connect(urls.owner, options=written, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("select setseed(0.5)")
        connection.execute("set maintenance_work_mem = '512MB'")
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(sql.SQL("drop index {}").format(sql.Identifier(name)))
        for number in range(1, _SMALL + 2):
            size = count if number == 1 else count // 1000
            status.update(f"finding: community {number} of {_SMALL + 1}, {size:,} events")
            given = {"tenant": UUID(int=number), "owner": UUID(int=10_000 + number), "slug": f"town-{number}"}
            connection.execute(_TENANT.encode(), given)
            connection.execute(_FILL.encode(), {**given, "count": size})
        for name, made in indexes:
            status.update(f"finding: {name}")
            connection.execute(made)
    status.update("finding: tallies")
    asyncio.run(_fold(urls, count))
    status.update("finding: statistics")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("vacuum (analyze)")


async def _fold(urls: Urls, count: int) -> None:
    """Have the worker's job take in what was written."""
    worker = await Database.open(urls.worker, size=1, limits=PATIENT)
    services = Services(worker, Settings.load(), GATE, lambda: None)
    told = {"verb": "fold", "reason": "a benchmark", "request_id": "bench"}
    for number in range(1, _SMALL + 2):
        for _ in range(1 if number > 1 else count // 50_000 + 1):
            async with system_transaction(services, tenant_id=UUID(int=number), now=_ORIGIN.now, **told) as ctx:
                await fold(ctx)
    await worker.close()


def _version(urls: Urls) -> str:
    with psycopg.connect(urls.app) as connection:
        return str(connection.info.server_version // 10000)


if __name__ == "__main__":
    program("finding", __doc__, measure)

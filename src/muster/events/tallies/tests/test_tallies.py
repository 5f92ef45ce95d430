"""Tallies: what is counted beforehand is what is there, whatever is written, folded in and over meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from muster.access.gate import GATE
from muster.events.map.counted import counted_squares
from muster.events.map.grid import Tile, column_of, row_of
from muster.events.map.reading import inside_tile, read_filters, spots_text, squares, tile_slot
from muster.events.tallies import jobs, queries
from muster.kit.caller import Claim, Origin
from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.views.plans import Body, PlanCache, compile_plan, run_plan
from muster.testing.below import ask, change
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process, settings_for
from muster.testing.town import Town, make_event, settle

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2031, 1, 1, 12, tzinfo=UTC)
PLACES = [(50.06, 19.94), (50.0601, 19.9401), (50.4, 19.1), (-18.14, 178.44), (-16.8, 180.0), (89.9, 40.0)]
TIMES = [NOON, NOON + timedelta(minutes=90), NOON + timedelta(days=9)]
_PLACE = "update events set latitude = $2, longitude = $3 where id = $1"
_TIME = "update events set starts_at = $2, ends_at = $2::timestamptz + interval '1 hour' where id = $1"
# What may become of an event, beside its place and time; `$1` is its id.
WRITES = [
    "update events set visibility = 'HIDDEN' where id = $1",
    "update events set visibility = 'PUBLIC' where id = $1",
    "update events set status = 'DRAFT', cancelled_at = null where id = $1",
    "update events set status = 'PUBLISHED', cancelled_at = null where id = $1",
    "update events set status = 'CANCELLED', cancelled_at = now() where id = $1",
    "update events set address_visibility = 'HIDDEN' where id = $1",
    "update events set latitude = null, longitude = null where id = $1",
    "update events set last_queue_number = last_queue_number + 1 where id = $1",
]


PLANS = PlanCache()
BODIES: list[Body] = [
    lambda compiler: spots_text(compiler, counted_squares(compiler, 0)),
    lambda compiler: spots_text(compiler, squares(compiler, 0, inside_tile)),
]


@dataclass(frozen=True)
class Scene:
    """A community, the events in it that change, and who reads and folds."""

    town: Town
    events: list[UUID]
    app: Database
    worker: Services

    async def write(self, chance: Random) -> None:
        """Change one event somehow."""
        place, moment = (_PLACE, chance.choice(PLACES)), (_TIME, (chance.choice(TIMES),))
        statement, values = chance.choice([place, moment, (chance.choice(WRITES), ())])
        await change(self.town.service.urls, statement, chance.choice(self.events), *values)

    async def run(self, job: Callable[[Ctx], Awaitable[None]], now: datetime) -> None:
        """Run a job of the tallies in the community."""
        told = {"verb": "tallies", "reason": "a test", "request_id": "r"}
        async with system_transaction(self.worker, tenant_id=self.town.tenant_id, now=now, **told) as ctx:
            await job(ctx)

    async def both(self, tile: Tile, now: datetime, viewer: UUID | None) -> list[object]:
        """A tile from what is counted and from the events themselves, read by one statement."""
        slots = [tile_slot(tile, read_filters({}, from_text=False))]
        plan = PLANS.get(slots[0].shape, lambda: compile_plan(GATE, slots, BODIES))
        _, answers = await run_plan(self.app, plan, Origin(Claim(self.town.tenant_id, viewer), now, "r"), slots)
        return [sorted(msgspec.json.decode(each)) for each in answers]

    async def compare(self, chance: Random) -> None:
        """Read some tile at some moment as somebody."""
        zoom, (latitude, longitude) = chance.randint(0, 10), chance.choice(PLACES)
        tile = Tile(zoom, column_of(longitude) >> (28 - zoom), row_of(latitude) >> (28 - zoom))
        viewer = chance.choice([None, *(self.town.people[each].user_id for each in (Standing.OWNER, Standing.MEMBER))])
        now = NOON + chance.choice([-1, 1, 2, 24 * 9]) * timedelta(hours=1)
        counted, there = await self.both(tile, now, viewer)
        assert counted == there, (tile, now, viewer)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(module_urls: Urls) -> AsyncIterator[Scene]:
    async with serving_in_process(module_urls) as service:
        town = await settle(service)
        owner = town.client(Standing.OWNER)
        events = [
            await make_event(owner, title=f"Tea number{n}", latitude=north, longitude=east)
            for n, (north, east) in enumerate(PLACES)
        ]
        settings = settings_for(module_urls)
        app = await Database.open(module_urls.app, size=2)
        worker = await Database.open(module_urls.worker, size=3)
        yield Scene(town, events, app, Services(worker, settings, GATE, lambda: None))
        await worker.close()
        await app.close()


async def _fold_some(ctx: Ctx) -> None:
    """Fold as where very much was written: a part alone."""
    await queries.lock_tally(ctx)
    await queries.fold_changes(ctx, most=1)


async def test_what_is_counted_is_what_is_there(scene: Scene) -> None:
    """Whatever was written, however far it is folded in, and at moments before and after that."""
    chance = Random(7)
    for _ in range(50):
        await scene.write(chance)
        if chance.random() < 0.3:
            job = chance.choice([jobs.fold, _fold_some, jobs.check, jobs.recount])
            await scene.run(job, NOON + chance.choice([-2, 0, 2]) * timedelta(hours=1))
        await scene.compare(chance)


async def test_what_is_counted_is_what_is_there_while_others_write_and_fold(scene: Scene) -> None:
    """Four write, two fold and one counts anew at the same time, each in transactions of their own."""
    done = asyncio.Event()

    async def write(seed: int) -> None:
        for _ in range(8):
            await scene.write(Random(seed))
            seed += 1

    async def keep(job: Callable[[Ctx], Awaitable[None]], minutes: int) -> None:
        while not done.is_set():
            await scene.run(job, NOON + timedelta(minutes=minutes))

    keeping = [asyncio.create_task(keep(*each)) for each in ((jobs.fold, 0), (jobs.fold, 90), (jobs.recount, 30))]
    writing = asyncio.gather(*(write(1000 * n) for n in range(4)))
    chance = Random(8)
    while not writing.done():
        await scene.compare(chance)
    done.set()
    await asyncio.gather(writing, *keeping)
    await scene.compare(chance)


async def test_a_word_is_known_while_a_title_that_everybody_finds_has_it(scene: Scene) -> None:
    async def known() -> dict[str, int]:
        await scene.run(jobs.fold, NOON)
        urls, tenant_id = scene.town.service.urls, scene.town.tenant_id
        return dict(await ask(urls, "select word, events from event_title_words where tenant_id = $1", tenant_id))

    urls, (first, second, *_) = scene.town.service.urls, scene.events
    to = "update events set visibility = $2, status = 'PUBLISHED', cancelled_at = null, title = $3 where id = $1"
    await change(urls, to, first, "PUBLIC", "Złote klucze, 2031")
    await change(urls, to, second, "PUBLIC", "Zlote rybki")
    assert {word: events for word, events in (await known()).items() if word in ("zlote", "klucze", "2031")} == {
        "zlote": 2,
        "klucze": 1,
    }
    await change(urls, to, first, "HIDDEN", "Złote klucze, 2031")
    words = await known()
    assert (words["zlote"], "klucze" in words) == (1, False)


async def test_what_is_counted_wrong_is_counted_anew(scene: Scene) -> None:
    """As an operator's own hand or a restore of half a backup would leave it."""
    await scene.run(jobs.fold, NOON - timedelta(days=1))
    await change(scene.town.service.urls, "update event_map_counts set events = events + 1 where level = 6")
    await scene.run(jobs.check, NOON - timedelta(days=1))
    told = {"verb": "tallies", "reason": "a test", "request_id": "r"}
    async with system_transaction(scene.worker, tenant_id=scene.town.tenant_id, now=NOON, **told) as ctx:
        spread = await queries.spread_of(ctx)
    assert spread.counted == spread.there

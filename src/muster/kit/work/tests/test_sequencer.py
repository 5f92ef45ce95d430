"""The sequencer: every fact gets its position once, and positions become visible in their order."""

import asyncio
import json
from uuid import UUID, uuid4

import asyncpg
import pytest

from muster.kit.commands.context import Services
from muster.kit.commands.facts import KINDS
from muster.kit.db.channels import FACTS, OUTBOX
from muster.kit.db.migrate import Urls
from muster.kit.work.handlers import on
from muster.kit.work.sequencer import Batch, Sequencer
from muster.kit.work.tests.support import TENANT, Happened, answer, count, eventually, record, running, services_on

WAITING = "select count(*) from outbox"
PLACED = "select count(*) from facts where position is not null"


async def _write(services: Services, times: int) -> None:
    for number in range(times):
        await record(services, *(Happened(thing_id=uuid4(), number=number) for _ in range(1 + number % 3)))


async def _follow_positions(url: str, total: int) -> list[int]:
    """What a reader sees that only ever asks for positions above the last."""
    connection = await asyncpg.connect(url)
    seen: list[int] = []
    try:
        while len(seen) < total:
            last = seen[-1] if seen else 0
            rows = await connection.fetch(
                "select position from facts where tenant_id = $1 and position > $2 order by position", TENANT, last
            )
            seen += [row["position"] for row in rows]
    finally:
        await connection.close()
    return seen


async def test_a_reader_of_positions_misses_none_with_many_writers_and_two_sequencers(urls: Urls) -> None:
    on(Happened, answer)  # what is queued for it makes the transactions of the sequencers longer
    writers, times = 8, 45
    total = writers * times * 2
    first, second = Sequencer(urls.worker), Sequencer(urls.worker)
    async with (
        services_on(urls.app, first.wake) as one,
        services_on(urls.app, second.wake) as two,
        running(first.run),
        running(second.run),
        asyncio.timeout(30),
    ):
        reader = asyncio.create_task(_follow_positions(urls.worker, total))
        await asyncio.gather(*(_write((one, two)[number % 2], times) for number in range(writers)))
        seen = await reader
    assert len(set(seen)) == total
    assert await count(urls.worker, PLACED) == total
    assert await count(urls.worker, WAITING) == 0


async def test_facts_of_one_transaction_keep_their_order(urls: Urls) -> None:
    sequencer = Sequencer(urls.worker)
    async with services_on(urls.app, sequencer.wake) as services:
        await record(services, *(Happened(thing_id=uuid4(), number=number) for number in range(20)))
        async with running(sequencer.run):
            await eventually(urls.worker, 20, PLACED)
    connection = await asyncpg.connect(urls.worker)
    rows = await connection.fetch("select (data->>'number')::int as number from facts order by position")
    await connection.close()
    assert [row["number"] for row in rows] == list(range(20))


async def test_each_handler_of_a_fact_gets_one_job(urls: Urls) -> None:
    async def other(_ctx: object, _fact: Happened) -> None: ...

    on(Happened, answer, other)
    sequencer = Sequencer(urls.worker)
    async with services_on(urls.app, sequencer.wake) as services, running(sequencer.run):
        await record(services, Happened(thing_id=uuid4()), Happened(thing_id=uuid4()))
        await eventually(urls.worker, 2, PLACED)
    assert await count(urls.worker, "select count(*) from pgqueuer.pgqueuer") == 4
    assert await count(urls.worker, "select count(distinct entrypoint) from pgqueuer.pgqueuer") == 2


async def test_a_fact_that_this_release_does_not_know_is_placed_and_parked(
    urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(Happened, answer)
    sequencer = Sequencer(urls.worker)
    async with services_on(urls.app, sequencer.wake) as services:
        await record(services, Happened(thing_id=uuid4()))
        monkeypatch.delitem(KINDS, (Happened.kind, Happened.version))
        async with running(sequencer.run):
            await eventually(urls.worker, 1, PLACED)
    assert await count(urls.worker, "select count(*) from pgqueuer.pgqueuer") == 0


async def test_a_notification_wakes_it_and_it_tells_whose_facts_there_are(urls: Urls) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(urls.app)
    await listener.add_listener(FACTS, lambda *event: heard.put_nowait(str(event[-1])))
    tenant = UUID(int=7)
    async with services_on(urls.app) as services, running(Sequencer(urls.worker).run):
        await record(services, Happened(thing_id=uuid4()), tenant_id=tenant)
        await listener.execute("select pg_notify($1, '')", OUTBOX)
        message = json.loads(await asyncio.wait_for(heard.get(), 5))
    position = await count(urls.worker, "select max(position) from facts")
    await listener.close()
    assert message == {"p": position, "t": [str(tenant)]}


def test_an_announcement_of_many_tenants_names_none_and_always_fits() -> None:
    hundred = frozenset(UUID(int=number) for number in range(100))
    assert len(Batch(1, 2**63 - 1, hundred).announcement()) < 8000
    assert json.loads(Batch(1, 5, hundred | {UUID(int=100)}).announcement()) == {"p": 5}

"""Facts of jobs that start together are read together, and each job gets its own."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import asyncpg
import pytest

from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.work.facts import Facts, UnknownFact
from muster.kit.work.job import HandlerJob
from muster.kit.work.tests.support import TENANT, Happened, record, services_on

OTHER = UUID(int=2)
NUMBERS = range(20)


@pytest.fixture
async def database(urls: Urls) -> AsyncIterator[Database]:
    async with services_on(urls.app) as services:
        await record(services, *(Happened(thing_id=uuid4(), number=number) for number in NUMBERS))
    async with services_on(urls.worker) as services:
        yield services.database


def job(fact_id: UUID, tenant_id: UUID = TENANT, version: int = 1) -> HandlerJob:
    return HandlerJob(tenant_id=tenant_id, fact_id=fact_id, kind=Happened.kind, version=version, request_id="test")


async def recorded(database: Database) -> dict[UUID, int]:
    async with database.connection() as connection:
        rows = await connection.fetch("select id, (data->>'number')::int as number from facts")
    return {row["id"]: row["number"] for row in rows}


async def test_jobs_that_start_together_ask_once_and_each_follows_its_own(database: Database) -> None:
    asked: list[str] = []
    numbers = await recorded(database)
    async with database.connection() as connection:
        # It stays at hand for whoever asks next.
        connection.add_query_logger(lambda ran: asked.append(ran.query))
    facts = Facts(database)
    found = await asyncio.gather(*(facts.of(job(each)) for each in numbers))
    assert [fact.number for fact in found if isinstance(fact, Happened)] == list(numbers.values())
    assert sorted(numbers.values()) == list(NUMBERS)
    assert len([each for each in asked if "join facts" in each]) == 1


async def test_a_fact_is_found_under_its_own_tenant_only(database: Database) -> None:
    one = next(iter(await recorded(database)))
    facts = Facts(database)
    own, others, none = await asyncio.gather(facts.of(job(one)), facts.of(job(one, OTHER)), facts.of(job(uuid4())))
    assert isinstance(own, Happened)
    assert (others, none) == (None, None)


async def test_one_that_this_release_does_not_know_fails_alone(database: Database) -> None:
    one, two, *_ = await recorded(database)
    facts = Facts(database)
    known, unknown = await asyncio.gather(facts.of(job(one)), facts.of(job(two, version=9)), return_exceptions=True)
    assert isinstance(known, Happened)
    assert isinstance(unknown, UnknownFact)


async def test_who_gives_up_leaves_the_others_their_facts(database: Database) -> None:
    ids = list(await recorded(database))
    facts = Facts(database)
    reads = [asyncio.create_task(facts.of(job(each))) for each in ids]
    # Far enough for all of them to have asked.
    await asyncio.sleep(0)
    reads[0].cancel()
    cancelled, *found = await asyncio.gather(*reads, return_exceptions=True)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert [isinstance(each, Happened) for each in found] == [True] * (len(ids) - 1)


async def test_without_a_connection_each_is_told_so(database: Database) -> None:
    ids = list(await recorded(database))
    await database.close()
    facts = Facts(database)
    found = await asyncio.gather(*(facts.of(job(each)) for each in ids), return_exceptions=True)
    assert all(isinstance(each, asyncpg.InterfaceError) for each in found)

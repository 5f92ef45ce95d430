"""The tenant setting: it is set before anything is read, in every plan and on every connection, and left nowhere."""

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import ColumnElement

from muster.access.gate import GATE
from muster.events.views import EventView
from muster.kit.caller import Claim, Origin
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.views.compiler import Compiler
from muster.kit.views.page_arguments import PageShape
from muster.kit.views.picks import SlotValues, whole_page
from muster.kit.views.plans import Plan, compile_plan
from muster.kit.views.query import QUERIES
from muster.testing.isolation import INTRUDER, VICTIM, World

_LEFT = "select coalesce(current_setting('muster.tenant', true), '')"
_SLOTS = [SlotValues({"size": 20, "tag": "tag"}, PageShape(next(iter(EventView.orders)), False, False, ()))]


def _plan() -> Plan:
    def body(compiler: Compiler) -> ColumnElement[str]:
        return QUERIES["events"].compile(compiler, whole_page(EventView, 0))

    return compile_plan(GATE, _SLOTS, [body])


_PLAN = _plan()


def _origin(tenant_id: UUID) -> Origin:
    return Origin(Claim(tenant_id), datetime.now(UTC), "test")


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan", "auto"])
async def test_one_prepared_statement_serves_every_tenant_in_turn(world: World, mode: str) -> None:
    towns = {VICTIM: world.victim.tenant_id, INTRUDER: world.intruder.tenant_id, "nobody's": uuid4()}
    url, settings = world.service.urls.app, {"plan_cache_mode": mode}
    connection = await asyncpg.connect(url, server_settings=settings, max_cacheable_statement_size=0)
    # More than the five custom plans after which PostgreSQL considers a generic one.
    answers = [await _read(connection, tenant_id) for _ in range(8) for tenant_id in towns.values()]
    prepared = "select generic_plans, custom_plans from pg_prepared_statements where statement = $1"
    plans = await connection.fetch(prepared, _PLAN.sql.text)
    left = await connection.fetchval(_LEFT)
    await connection.close()
    assert [sum(row) for row in plans] == [len(answers)]
    for number, (caller, body) in enumerate(answers):
        name = list(towns)[number % len(towns)]
        assert {each for each in towns if f"An evening in {each}" in body} == {name} - {"nobody's"}
        assert (caller is None) == (name == "nobody's")
    assert left == ""


async def _read(connection: asyncpg.Connection, tenant_id: UUID) -> tuple[str | None, str]:
    """The caller and the list of events, by the statement that asyncpg keeps prepared on the connection."""
    row = await connection.fetchrow(_PLAN.sql.text, *_PLAN.arguments(_origin(tenant_id), _SLOTS))
    assert row is not None
    return row[1], row[2]


async def test_without_a_tenant_nothing_is_seen(world: World) -> None:
    connection = await asyncpg.connect(world.service.urls.app)
    try:
        assert await connection.fetchval("select count(*) from events") == 0
        await connection.execute("select set_config('muster.tenant', '', false)")
        assert await connection.fetchval("select count(*) from events") == 0
    finally:
        await connection.close()


@pytest.mark.parametrize("ending", ["commit", "error", "failed statement"])
async def test_a_transaction_leaves_no_tenant_behind(urls: Urls, ending: str) -> None:
    database = await Database.open(urls.app, size=1)
    failures = {"error": LookupError, "failed statement": asyncpg.DivisionByZeroError}
    expected: AbstractContextManager[object] = pytest.raises(failures[ending]) if ending in failures else nullcontext()
    with expected:
        await _in_transaction(database, ending)
    async with database.connection() as connection:
        assert await connection.fetchval(_LEFT) == ""
        assert not connection.is_in_transaction()
    await database.close()


async def _in_transaction(database: Database, ending: str) -> None:
    tenant_id = uuid4()
    async with database.transaction(tenant_id) as tx:
        assert await tx.connection.fetchval(_LEFT) == str(tenant_id)
        if ending == "error":
            raise LookupError("a command refuses")
        if ending == "failed statement":
            await tx.connection.execute("select 1 / 0")

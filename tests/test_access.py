"""The tenant setting: it is set before anything is read, in every plan and on every connection, and left nowhere."""

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
from muster.testing.isolation import INTRUDER, VICTIM, open_world
from muster.testing.serving import serving_in_process

_LEFT = "select coalesce(current_setting('muster.tenant', true), '')"
_SLOTS = [SlotValues({"size": 20, "tag": "tag"}, PageShape(next(iter(EventView.orders)), False, False, ()))]


def _plan() -> Plan:
    def body(compiler: Compiler) -> ColumnElement[str]:
        return QUERIES["events"].compile(compiler, whole_page(EventView, 0))

    return compile_plan(GATE, _SLOTS, [body])


def _origin(tenant_id: UUID) -> Origin:
    return Origin(Claim(tenant_id), datetime.now(UTC), "test")


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan", "auto"])
async def test_one_prepared_statement_serves_every_tenant_in_turn(urls: Urls, mode: str) -> None:
    async with serving_in_process(urls) as service, open_world(service) as world:
        plan = _plan()
        towns = {VICTIM: world.victim.tenant_id, INTRUDER: world.intruder.tenant_id}
        connection = await asyncpg.connect(urls.app, server_settings={"plan_cache_mode": mode})
        try:
            statement = await connection.prepare(plan.sql.text)
            # More than the five custom plans after which PostgreSQL considers a generic one.
            for _ in range(8):
                for name, tenant_id in towns.items():
                    row = await statement.fetchrow(*plan.arguments(_origin(tenant_id), _SLOTS))
                    assert row is not None
                    assert f"An evening in {name}" in row[2]
                    assert not any(f"in {other}" in row[2] for other in towns if other != name)
                    assert await connection.fetchval(_LEFT) == ""
                row = await statement.fetchrow(*plan.arguments(_origin(uuid4()), _SLOTS))
                assert row is not None
                assert row[1] is None
                assert " in " not in row[2]
        finally:
            await connection.close()


async def test_without_a_tenant_nothing_is_seen(urls: Urls) -> None:
    async with serving_in_process(urls) as service, open_world(service):
        connection = await asyncpg.connect(urls.app)
        try:
            assert await connection.fetchval("select count(*) from events") == 0
            await connection.execute("select set_config('muster.tenant', '', false)")
            assert await connection.fetchval("select count(*) from events") == 0
        finally:
            await connection.close()


@pytest.mark.parametrize("ending", ["commit", "error", "failed statement"])
async def test_a_transaction_leaves_no_tenant_behind(urls: Urls, ending: str) -> None:
    database = await Database.open(urls.app, size=1)
    tenant_id = uuid4()
    try:
        try:
            async with database.transaction(tenant_id) as tx:
                assert await tx.connection.fetchval(_LEFT) == str(tenant_id)
                if ending == "error":
                    raise LookupError("a command refuses")
                if ending == "failed statement":
                    await tx.connection.execute("select 1 / 0")
        except (LookupError, asyncpg.DivisionByZeroError):
            assert ending != "commit"
        async with database.connection() as connection:
            assert await connection.fetchval(_LEFT) == ""
            assert not connection.is_in_transaction()
    finally:
        await database.close()

"""Kill -9 in the middle of an erasure: no batch stands half done, and the next worker finishes it once.

A lock on the last of the person's rows holds the worker where it is killed, so that no luck is needed to hit it.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import asyncpg
import uvloop

from muster.access.gate import GATE
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.database import Database
from muster.kit.db.migrate import Urls
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.personal.erasing import AT_ONCE
from muster.privacy.facts import ErasureDue
from muster.testing.below import ask, change, maintenance, value
from muster.testing.serving import settings_for
from tests.storm.people import settle
from tests.storm.processes import end_of, working
from tests.storm.truth import until_quiet

ROWS = 2 * AT_ONCE + AT_ONCE // 2
# Jobs of a killed worker are taken over 15 s after its last heartbeat; the rest is for slow machines.
PATIENCE = 90.0

_NOTICES = """
insert into notifications (tenant_id, id, user_id, fact_id, kind, data, created_at)
select t.id, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, $1, uuidv7(), 'K', '{}', now()
  from tenants t, generate_series(1, $2::integer) as n where t.is_default
"""
_ENDED = """
with ended as (
  update users set closed_at = now() - interval '40 days', ended_at = now() - interval '9 days' where id = $1
  returning id, closed_at, ended_at
)
insert into departures (id, closed_at, ended_at, erasing_at) select id, closed_at, ended_at, now() from ended
"""
_LEFT = "select count(*) from notifications where user_id = $1"
_HELD = "select id from notifications where user_id = $1 order by id desc limit 1 for update"
_WAITS = "select count(*) from pg_stat_activity where $1 = any(pg_blocking_pids(pid))"


def test_an_erasure_that_is_killed_is_finished_by_the_next_worker(urls: Urls, tmp_path: Path) -> None:
    uvloop.run(asyncio.wait_for(_survive(urls, tmp_path), 2 * PATIENCE))


async def _survive(urls: Urls, folder: Path) -> None:
    [person, other] = await settle(urls, 2)
    for each in (person, other):
        await change(urls, _NOTICES.replace("7000", "7000" if each is person else "7001"), each.id, ROWS)
    await change(urls, _ENDED, person.id)
    await _due(urls, person.id)
    async with maintenance(urls) as holder, holder.transaction():
        await holder.fetch(_HELD, person.id)
        async with working(urls, folder, "first") as first:
            await _until_it_waits(urls, holder.get_server_pid(), folder / "first.log")
            await first.kill()
    assert await value(urls, _LEFT, person.id) == ROWS - 2 * AT_ONCE, "a batch stands half done"
    assert await ask(urls, "select name from users where id = $1 and ended_at is not null", person.id)
    assert await value(urls, "select count(*) from departures where erased_at is not null") == 0
    async with working(urls, folder, "second"):
        await until_quiet(urls, PATIENCE)
    assert await value(urls, _LEFT, person.id) == 0
    assert await value(urls, _LEFT, other.id) == ROWS
    assert await value(urls, "select count(*) from departures where id = $1 and erased_at is not null", person.id) == 1
    assert await value(urls, "select count(*) from facts where kind = 'user.erased'") == 1


async def _due(urls: Urls, user_id: UUID) -> None:
    """Have the person erased, as the schedule does."""
    database = await Database.open(urls.app, size=1)
    try:
        services = Services(database, settings_for(urls), GATE, lambda: None)
        now = datetime.now(UTC)
        async with system_transaction(
            services, tenant_id=PLATFORM_TENANT, verb="test", reason="it is due", now=now, request_id="test"
        ) as ctx:
            ctx.record(ErasureDue(user_id=user_id))
    finally:
        await database.close()


async def _until_it_waits(urls: Urls, holder: int, log: Path) -> None:
    """holder: the process of the database that it waits for."""
    look = await asyncpg.connect(urls.owner)
    try:
        async with asyncio.timeout(PATIENCE):
            while not await look.fetchval(_WAITS, holder):  # noqa: ASYNC110 - PostgreSQL tells nobody who waits
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"the erasure never came to the row that is held:\n{end_of(log)}") from None
    finally:
        await look.close()

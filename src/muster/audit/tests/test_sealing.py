"""Sealing: every committed row, once, in one chain, however late its commit; and what is left after a time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from muster.audit import jobs
from muster.events.facts import EventDeleted
from muster.kit.commands.context import Services
from muster.kit.commands.system import system_transaction
from muster.kit.ids import new_id
from muster.kit.work.schedule import tick
from muster.testing.auditing import SOON, as_worker, verified
from muster.testing.below import ask, change, value
from muster.testing.town import Town

_ROW = "insert into audit_rows (tenant_id, id, at, actor_kind, verb, outcome, request_id) values ($1, $2, $3, 'person', 'v', 'done', 'r')"
_WAITS = "insert into audit_unsealed (tenant_id, id) values ($1, $2)"


async def test_every_row_is_sealed_once_within_ten_seconds(town: Town) -> None:
    rows = {
        row[0] for row in await ask(town.service.urls, "select id from audit_rows where tenant_id = $1", town.tenant_id)
    }
    async with as_worker(town.service.urls) as one, as_worker(town.service.urls) as two:
        # The one who puts the day's checkpoints may stand in the other's way; then it is sealed by the next tick.
        for now in (datetime.now(UTC), datetime.now(UTC) + SOON):
            await asyncio.gather(tick(one, now), tick(two, now))
        report = await verified(one, town.tenant_id)
    assert report.rows == len(rows) > 10
    assert (report.breaks, report.waiting) == ([], 0)
    assert await value(town.service.urls, "select count(*) from audit_unsealed") == 0


async def test_a_late_commit_is_neither_missed_nor_out_of_order(town: Town) -> None:
    urls, now = town.service.urls, datetime.now(UTC)
    late, soon = new_id(), new_id()
    async with as_worker(urls) as worker, worker.database.transaction(town.tenant_id) as slow:
        await slow.connection.execute(_ROW, town.tenant_id, late, now)
        await slow.connection.execute(_WAITS, town.tenant_id, late)
        async with worker.database.transaction(town.tenant_id) as quick:
            await quick.connection.execute(_ROW, town.tenant_id, soon, now + timedelta(seconds=1))
            await quick.connection.execute(_WAITS, town.tenant_id, soon)
        await tick(worker, now + SOON)
        assert (await verified(worker, town.tenant_id)).breaks == []
    async with as_worker(urls) as worker:
        before = await verified(worker, town.tenant_id)
        assert (before.waiting, before.breaks) == (1, [])
        await tick(worker, now + 2 * SOON)
        after = await verified(worker, town.tenant_id)
    assert (after.rows, after.waiting, after.breaks) == (before.rows + 1, 0, [])
    entries = [
        row[0]
        for row in await ask(
            urls, "select entries from audit_seals where tenant_id = $1 order by number", town.tenant_id
        )
    ]
    assert soon.bytes in entries[0]
    assert late.bytes == entries[1][:16]


async def _act_at(worker: Services, town: Town, moment: datetime) -> None:
    """Have something happen in the town at a moment, and seal it."""
    async with system_transaction(
        worker, tenant_id=town.tenant_id, verb="test", reason="is old", now=moment, request_id="test"
    ) as ctx:
        ctx.record(EventDeleted(event_id=new_id()))
    async with worker.database.transaction(town.tenant_id) as tx:
        ctx = replace(ctx, db=tx, now=moment + SOON, facts=[])
        await jobs.seal(ctx)
        await jobs.mark(ctx)


async def test_old_rows_go_and_what_is_left_still_verifies(town: Town) -> None:
    urls, now = town.service.urls, datetime.now(UTC)
    count = "select count(*) from audit_rows where tenant_id = $1 and verb = 'test'"
    async with as_worker(urls) as worker:
        await change(urls, "delete from audit_unsealed")
        for days in (200, 100, 80):
            await _act_at(worker, town, now - timedelta(days=days))
        await change(urls, "insert into audit_unsealed select tenant_id, id from audit_rows where verb <> 'test'")
        await tick(worker, now)
        report = await verified(worker, town.tenant_id)
    assert await value(urls, count, town.tenant_id) == 1
    assert await value(urls, "select min(number) from audit_seals where tenant_id = $1", town.tenant_id) == 3
    assert await value(urls, "select count(*) from audit_checkpoints where tenant_id = $1", town.tenant_id) == 4
    assert (report.breaks, report.seals, report.number) == ([], 2, 4)


@pytest.mark.parametrize(
    ("removal", "refusal"),
    [
        ("delete from audit_rows", "only ever added"),
        ("delete from audit_seals", "only ever added"),
        ("delete from audit_checkpoints", "permission denied"),
    ],
)
async def test_no_code_removes_what_is_not_old_enough(town: Town, removal: str, refusal: str) -> None:
    async with as_worker(town.service.urls) as worker:
        await tick(worker, datetime.now(UTC))
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match=refusal):
            async with worker.database.transaction(town.tenant_id) as tx:
                await tx.connection.execute(removal)

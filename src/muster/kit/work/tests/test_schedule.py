"""The schedule: once per period, whatever the number of workers, by a clock that is an argument."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import ARRAY, DateTime, Uuid, bindparam, cast, column, func, literal, select

from muster.kit.commands.context import Ctx
from muster.kit.db.migrate import Urls
from muster.kit.db.statements import Statement
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.work.schedule import TenantId, at, every, tick
from muster.kit.work.tests.support import services_on

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = 24 * 60 * 60


async def test_a_year_of_ticks_runs_a_daily_entry_once_a_day(urls: Urls) -> None:
    ran: list[datetime] = []

    async def note(ctx: Ctx) -> None:
        ran.append(ctx.now)

    every(seconds=DAY, name="daily", run=note)
    hours = [START + timedelta(hours=hour, minutes=hour % 7) for hour in range(365 * 24)]
    async with services_on(urls.worker) as services:
        for now in hours:
            await tick(services, now)
    assert [now.date() for now in ran] == [(START + timedelta(days=day)).date() for day in range(365)]


async def test_two_tickers_at_once_run_an_entry_once(urls: Urls) -> None:
    ran: list[datetime] = []

    async def slow(ctx: Ctx) -> None:
        ran.append(ctx.now)
        await ctx.db.connection.execute("select pg_sleep(0.05)")

    every(seconds=60, name="slow", run=slow)
    minutes = [START + timedelta(minutes=minute) for minute in range(10)]
    async with services_on(urls.worker) as one, services_on(urls.worker) as two:
        for now in minutes:
            await asyncio.gather(tick(one, now), tick(two, now))
    assert ran == minutes


async def test_an_entry_acts_as_the_system_in_the_platform_tenant(urls: Urls) -> None:
    seen: list[Ctx] = []

    async def look(ctx: Ctx) -> None:
        seen.append(ctx)

    every(seconds=60, name="look", run=look)
    async with services_on(urls.worker) as services:
        await tick(services, START)
    assert [(ctx.tenant_id, ctx.actor.kind, ctx.now) for ctx in seen] == [(PLATFORM_TENANT, "system", START)]


async def test_an_entry_of_tenants_runs_in_each_that_has_something_due_and_one_that_fails_stops_no_other(
    urls: Urls,
) -> None:
    due, ran = [UUID(int=number) for number in (1, 2, 3)], list[UUID]()
    numbers = func.unnest(literal(due, ARRAY(Uuid()))).table_valued(column("tenant_id", Uuid())).render_derived("due")
    tenants = Statement(
        TenantId,
        select(cast(numbers.c.tenant_id, Uuid()).label("tenant_id")).where(
            bindparam("now", type_=DateTime(timezone=True)) >= START
        ),
    )

    async def note(ctx: Ctx) -> None:
        ran.append(ctx.tenant_id)
        if ctx.tenant_id == due[1]:
            raise RuntimeError("on purpose")

    every(seconds=60, name="of tenants", run=note, tenants=tenants)
    async with services_on(urls.worker) as services:
        for minutes in (-1, 0, 0, 1):
            await tick(services, START + timedelta(minutes=minutes))
    assert ran == due * 2


async def test_a_failing_entry_waits_for_its_next_period_and_does_not_stop_others(urls: Urls) -> None:
    ran: list[str] = []

    async def fail(_ctx: Ctx) -> None:
        ran.append("fail")
        raise ValueError("this entry fails")

    async def work(_ctx: Ctx) -> None:
        ran.append("work")

    every(seconds=60, name="fail", run=fail)
    every(seconds=60, name="work", run=work)
    async with services_on(urls.worker) as services:
        for second in range(0, 120, 10):
            await tick(services, START + timedelta(seconds=second))
    assert ran == ["fail", "work"] * 2


async def test_what_was_missed_is_not_made_up_for(urls: Urls) -> None:
    ran: list[datetime] = []

    async def note(ctx: Ctx) -> None:
        ran.append(ctx.now)

    every(seconds=60, name="note", run=note)
    async with services_on(urls.worker) as services:
        await tick(services, START)
        await tick(services, START + timedelta(hours=5))
    assert len(ran) == 2


async def test_the_app_role_may_read_when_entries_ran_and_not_change_it(urls: Urls) -> None:
    connection = await asyncpg.connect(urls.app)
    try:
        assert await connection.fetch("select name, last_run_at from schedule_runs") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("insert into schedule_runs (name) values ('x')")
    finally:
        await connection.close()


def test_two_entries_of_one_name_are_refused() -> None:
    async def nothing(_ctx: Ctx) -> None: ...

    every(seconds=1, name="same", run=nothing)
    with pytest.raises(TypeError, match="same"):
        every(seconds=1, name="same", run=nothing)


async def _ran_at(urls: Urls, cron: str, zone: str, begin: datetime, *, hours: int, minutes: int) -> list[str]:
    """When an entry ran on two workers whose clock goes on by some minutes at a time."""
    ran: list[str] = []

    async def note(ctx: Ctx) -> None:
        ran.append(f"{ctx.now.astimezone(ZoneInfo(zone)):%d. %H:%M %Z}")

    at(cron, zone=zone, name="local", run=note)
    async with services_on(urls.worker) as one, services_on(urls.worker) as two:
        for step in range(hours * 60 // minutes + 1):
            now = begin + timedelta(minutes=step * minutes)
            await asyncio.gather(tick(one, now), tick(two, now))
    return ran


@pytest.mark.parametrize(
    ("begin", "cron", "ran"),
    [
        # In Warsaw clocks went from 2:00 to 3:00 on 29 March 2026, and from 3:00 to 2:00 on 25 October.
        (datetime(2026, 3, 27, 12, tzinfo=UTC), "30 2 * * *", ["28. 02:30 CET", "29. 03:30 CEST", "30. 02:30 CEST"]),
        (datetime(2026, 10, 23, 12, tzinfo=UTC), "30 2 * * *", ["24. 02:30 CEST", "25. 02:30 CEST", "26. 02:30 CET"]),
        (datetime(2026, 3, 27, 12, tzinfo=UTC), "0,30 2 29 * *", ["29. 03:00 CEST", "29. 03:30 CEST"]),
        (datetime(2026, 10, 23, 12, tzinfo=UTC), "0,30 2 25 * *", ["25. 02:00 CEST", "25. 02:30 CEST"]),
    ],
)
async def test_a_local_time_runs_once_a_day_when_clocks_change(
    urls: Urls, begin: datetime, cron: str, ran: list[str]
) -> None:
    assert await _ran_at(urls, cron, "Europe/Warsaw", begin, hours=66, minutes=10) == ran


async def test_a_time_that_was_missed_is_made_up_for_once_or_let_go(urls: Urls) -> None:
    ran: list[tuple[str, int]] = []

    async def whenever(ctx: Ctx) -> None:
        ran.append(("whenever", ctx.now.day))

    async def in_time(ctx: Ctx) -> None:
        ran.append(("in time", ctx.now.day))

    at("0 3 * * *", name="whenever", run=whenever)
    at("0 3 * * *", name="in time", run=in_time, late=timedelta(hours=1))
    times = [(1, 12), (2, 3), (2, 4), (6, 5), (6, 6), (7, 3), (7, 5)]
    async with services_on(urls.worker) as services:
        for day, hour in times:
            await tick(services, datetime(2026, 1, day, hour, tzinfo=UTC))
    assert ran == [("whenever", 2), ("in time", 2), ("whenever", 6), ("whenever", 7), ("in time", 7)]


def test_what_is_no_time_is_refused() -> None:
    async def nothing(_ctx: Ctx) -> None: ...

    with pytest.raises(ValueError, match="61 3"):
        at("61 3 * * *", name="never", run=nothing)

"""The schedule: what runs again and again. The time is always an argument, so a year can pass in a minute."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from croniter import croniter  # type: ignore[import-untyped]  # its types are a package of their own
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert

from muster.kit.commands.context import Ctx, Services
from muster.kit.commands.system import system_transaction
from muster.kit.db.statements import Nothing, Row, Statement
from muster.kit.db.tables import PLATFORM_TENANT
from muster.kit.ids import new_id
from muster.kit.tracing.switch import step
from muster.kit.work.tables import ScheduleRun

log = structlog.get_logger()


class TenantId(Row):
    """A tenant in which something is due."""

    tenant_id: UUID


@dataclass(frozen=True)
class Due:
    """An entry of the schedule.

    name: stays the same between releases. period: when the period that a moment lies in began; the entry runs once in
    each. run: what is done, in a transaction of its own. tenants: finds those in which something is due by `now`; None
    is what no tenant owns. late: how long after its period began it may still run; None is until the next one.
    waits: whether an entry that is new waits for its next period, or runs at once.
    """

    name: str
    period: Callable[[datetime], datetime]
    run: Callable[[Ctx], Awaitable[None]]
    tenants: Statement[TenantId] | None = None
    late: timedelta | None = None
    waits: bool = False


SCHEDULE: dict[str, Due] = {}
"""Every entry by its name."""


def every(
    *, seconds: int, name: str, run: Callable[[Ctx], Awaitable[None]], tenants: Statement[TenantId] | None = None
) -> None:
    """Run something once in every period. Entries stand in one table, `muster/schedule.py`.

    seconds: the period, counted from 1970, so a daily entry runs just after midnight UTC.
    tenants: a statement with the parameter `now` that finds tenants across all; `run` then runs in each of them, in a
    transaction of its own, and must bear that two workers do so at once.
    After a time without a worker it runs once: an entry looks for all that is due by then.
    Raises TypeError for a second entry of one name.
    """

    def period(now: datetime) -> datetime:
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, UTC)

    _enter(Due(name, period, run, tenants))


def at(
    cron: str,
    *,
    zone: str = "UTC",
    late: timedelta | None = None,
    name: str,
    run: Callable[[Ctx], Awaitable[None]],
    tenants: Statement[TenantId] | None = None,
) -> None:
    """Run something at the times of a cron expression, as `every` does. What runs daily or less often has its time.

    cron: five fields, read on the clocks of `zone` (a name of the IANA data base). A time that is skipped when clocks go
    forward has its run right after the gap; one that comes twice when they go back has it the first time.
    late: how long after its time it may still run, where no worker ran then; None is until its next time.
    Raises ValueError for what is no cron expression or no zone, TypeError for a second entry of one name.
    """
    if not croniter.is_valid(cron):
        raise ValueError(f"{name}: {cron!r} is no cron expression; five fields, such as 30 3 * * *")
    _enter(Due(name, partial(_last_time, cron, ZoneInfo(zone)), run, tenants, late, waits=True))


def _last_time(cron: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The last moment that a cron expression names, up to now."""
    local = now.astimezone(zone).replace(tzinfo=None, microsecond=0)
    times = croniter(cron, local + timedelta(seconds=1))
    while True:
        # Without `fold`, Python takes the first of two, and for a time that is skipped the offset from before the gap:
        # just after the gap the latter can still lie ahead.
        moment: datetime = times.get_prev(datetime).replace(tzinfo=zone).astimezone(UTC)
        if moment <= now:
            return moment


def _enter(due: Due) -> None:
    if due.name in SCHEDULE:
        raise TypeError(f"two entries of the schedule are named {due.name}; rename one")
    SCHEDULE[due.name] = due


class _Known(Row):
    name: str
    last_run_at: datetime | None


_KNOWN = Statement(_Known, select(ScheduleRun.name, ScheduleRun.last_run_at))
_ENTER = Statement(Nothing, insert(ScheduleRun).on_conflict_do_nothing(), insert_keys=("id", "name"))
_AT = bindparam("now", type_=ScheduleRun.last_run_at.type)
_FREE = (
    select(ScheduleRun.id)
    .where(
        ScheduleRun.name == bindparam("entry"),
        ScheduleRun.last_run_at.is_(None)
        | (ScheduleRun.last_run_at < bindparam("period", type_=ScheduleRun.last_run_at.type)),
    )
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
# One row, locked until the entry has run: two workers never run it for the same period.
_CLAIM = Statement(Nothing, update(ScheduleRun).where(ScheduleRun.id == _FREE).values(last_run_at=_AT))
_PASS = Statement(
    Nothing,
    update(ScheduleRun).where(ScheduleRun.name == bindparam("entry")).values(last_run_at=_AT),
)
_WAIT = Statement(
    Nothing,
    update(ScheduleRun)
    .where(ScheduleRun.name == bindparam("entry"), ScheduleRun.last_run_at.is_(None))
    .values(last_run_at=_AT),
)


class _Taken(Exception):
    """Another worker runs the entry, or has run it."""


async def tick(services: Services, now: datetime) -> None:
    """Run everything that is due. An entry that fails is logged, and waits for its next period."""
    async with services.database.transaction(PLATFORM_TENANT) as tx:
        last = {row.name: row.last_run_at for row in await tx.all(_KNOWN)}
        for name in SCHEDULE.keys() - last.keys():
            await tx.run(_ENTER, id=new_id(), name=name)
            if SCHEDULE[name].waits:
                await tx.run(_WAIT, entry=name, now=now)
                last[name] = now
    for due in SCHEDULE.values():
        last_run_at = last.get(due.name)
        if last_run_at is None or last_run_at < due.period(now):
            await _run(services, due, now)


async def _run(services: Services, due: Due, now: datetime) -> None:
    request_id = f"schedule-{new_id()}"
    with structlog.contextvars.bound_contextvars(request_id=request_id, entry=due.name):
        try:
            with step(f"schedule {due.name}", calm=(_Taken,)):
                found = await _claim_and_run(services, due, now, request_id)
        except _Taken:
            return
        except Exception:
            log.exception("schedule.failed")
            await _pass_over(services, due, now)
            return
        for tenant_id in found:
            await _run_in_tenant(services, due, now, request_id, tenant_id)


async def _run_in_tenant(services: Services, due: Due, now: datetime, request_id: str, tenant_id: UUID) -> None:
    """What fails in one tenant is logged, and keeps nobody else waiting."""
    try:
        with step(f"schedule {due.name}", {"muster.tenant_id": str(tenant_id)}):
            async with system_transaction(
                services, tenant_id=tenant_id, verb=due.name, reason="is due", now=now, request_id=request_id
            ) as ctx:
                await due.run(ctx)
    except Exception:
        log.exception("schedule.failed", tenant_id=str(tenant_id))


async def _claim_and_run(services: Services, due: Due, now: datetime, request_id: str) -> list[UUID]:
    """Run an entry that no tenant owns; of any other, answer with the tenants it is to run in."""
    async with system_transaction(
        services, tenant_id=PLATFORM_TENANT, verb=due.name, reason="is due", now=now, request_id=request_id
    ) as ctx:
        if not await ctx.db.run(_CLAIM, entry=due.name, period=due.period(now), now=now):
            raise _Taken
        if due.late is not None and now - due.period(now) > due.late:
            log.warning("schedule.missed", due_at=due.period(now).isoformat())
            return []
        if due.tenants is not None:
            return [found.tenant_id for found in await ctx.db.all(due.tenants, now=now)]
        await due.run(ctx)
        return []


async def _pass_over(services: Services, due: Due, now: datetime) -> None:
    async with services.database.transaction(PLATFORM_TENANT) as tx:
        await tx.run(_PASS, entry=due.name, now=now)

"""The job queue: pgqueuer's tables in their own schema, and what a job carries."""

from datetime import timedelta
from uuid import UUID

import asyncpg
import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.adapters.persistence.query_helpers import cell
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel, QueueEntrypoint, QueueManagerId
from pgqueuer.ports.repository import EntrypointExecutionParameter

# Named one by one: the library would otherwise take any of them from an environment variable.
NAMES = DBSettings(
    db_schema="pgqueuer",
    prefix="",
    channel=Channel("ch_pgqueuer"),
    function="fn_pgqueuer_changed",
    statistics_table="pgqueuer_statistics",
    queue_status_type="pgqueuer_status",
    queue_table="pgqueuer",
    queue_table_log="pgqueuer_log",
    trigger="tg_pgqueuer_changed",
    schedules_table="pgqueuer_schedules",
    durability=Durability.durable,
)
"""Where the queue lives, and the channel that wakes its workers."""


# What may be started now, and what may be some day: jobs of the given queues that do not stand still.
_PAUSED = "select queue from paused_queues"
_WAITING = """
select exists (select from pgqueuer.pgqueuer where status = 'queued' and entrypoint = any($1)
                  and entrypoint not in (select queue from paused_queues))::int as found
"""
_ELIGIBLE = """
select exists (select from pgqueuer.pgqueuer where status = 'queued' and entrypoint = any($1) and execute_after < now()
                  and entrypoint not in (select queue from paused_queues))::int as found
"""
_RETRY = """
with retry as (
  update pgqueuer.pgqueuer
     set status = 'queued', execute_after = now() + $2::interval, attempts = attempts + $4, updated = now(),
         queue_manager_id = null
   where id = $1 returning id, entrypoint, priority
)
insert into pgqueuer.pgqueuer_log (job_id, status, entrypoint, priority, traceback)
select id, 'queued', entrypoint, priority, $3::jsonb from retry
"""


class PutOff(RetryRequested):
    """A job goes back into the queue though nothing failed: it counts as no attempt."""


class HandlerJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says: run the handler it is queued for on this fact. Keys it does not know are passed over.

    request_id: of the request that led to the fact; it goes on every line of the log.
    """

    tenant_id: UUID
    fact_id: UUID
    kind: str
    version: int
    request_id: str


class Queue(Queries):
    """The library's statements, except for what it lacks: queues that stand still, and waits that are no failures."""

    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Take jobs of queues that do not stand still. Asked anew each time, so a pause holds for every worker."""
        still = {row["queue"] for row in await self.driver.fetch(_PAUSED)}
        moving = {name: limits for name, limits in entrypoints.items() if name not in still} if still else entrypoints
        if not moving:
            return []
        return await super().dequeue(batch_size, moving, queue_manager_id, global_concurrency_limit, heartbeat_timeout)

    async def eligible_queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """1 when a job could be started, else 0. The library counts all there are, after every batch."""
        rows = await self.driver.fetch(_ELIGIBLE, entrypoints)
        return cell(rows[0], "found", int)

    async def queued_work(self, entrypoints: list[QueueEntrypoint]) -> int:
        """1 when a job waits in a queue that does not stand still, else 0."""
        rows = await self.driver.fetch(_WAITING, entrypoints)
        return cell(rows[0], "found", int)

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        """Queue a job again. What was only put off keeps its number of attempts."""
        told = traceback_record.model_dump_json() if traceback_record else None
        put_off = traceback_record is not None and traceback_record.exception_type == PutOff.__name__
        await self.driver.execute(_RETRY, job.id, delay, told, 0 if put_off else 1)


def queue_on(connection: asyncpg.Connection) -> Queue:
    """The queue's statements on one connection, within its transaction if it has one."""
    return Queue(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(NAMES),
        qbq=QueryQueueBuilder(NAMES),
        qbs=QuerySchedulerBuilder(NAMES),
    )

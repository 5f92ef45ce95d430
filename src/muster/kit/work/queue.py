"""The job queue: pgqueuer's tables in their own schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
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
# After the jobs are taken: whoever looks second sees what the first has taken, so together they never keep too many.
# Both may put back what one could have kept; that is looked at again when a place is given, or a minute later.
_PARK = """
with limits as (
  select * from unnest($2::text[], $3::bigint[]) as l(entrypoint, at_once)
), mine as (
  select m.id, l.at_once, row_number() over (partition by m.entrypoint, left(m.dedupe_key, 36)
                                             order by m.priority desc, m.id) as place,
         (select count(*) from pgqueuer.pgqueuer o where o.status = 'picked' and o.entrypoint = m.entrypoint
             and left(o.dedupe_key, 36) = left(m.dedupe_key, 36) and o.id <> all($1)) as running
    from pgqueuer.pgqueuer m join limits l using (entrypoint) where m.id = any($1)
)
update pgqueuer.pgqueuer q
   set status = 'queued', queue_manager_id = null, execute_after = now() + interval '1 minute',
       headers = coalesce(nullif(headers, 'null'), '{}') || '{"parked": "1"}'
  from mine where q.id = mine.id and mine.place + mine.running > mine.at_once
returning q.id
"""
_START = "update pgqueuer.pgqueuer set dedupe_key = left(dedupe_key, 37) || 'started:' || id where id = $1"
_GIVE_PLACE = """
with ended as (
  update pgqueuer.pgqueuer set dedupe_key = 'ended:' || dedupe_key where id = $1
  returning entrypoint, substr(dedupe_key, 7, 36) as tenant
), next as (
  select q.id from pgqueuer.pgqueuer q join ended on q.entrypoint = ended.entrypoint
     and left(q.dedupe_key, 36) = ended.tenant
   where q.status = 'queued' and q.headers ? 'parked' order by q.priority desc, q.id limit 1 for update of q skip locked
)
update pgqueuer.pgqueuer q set execute_after = now(), headers = headers - 'parked' from next where q.id = next.id
"""
_RETRY = """
with retry as (
  update pgqueuer.pgqueuer
     set status = 'queued', execute_after = now() + $2::interval, attempts = attempts + $4, updated = now(),
         queue_manager_id = null, dedupe_key = regexp_replace(dedupe_key, '^ended:', ''),
         headers = nullif(headers, 'null') - 'parked'
   where id = $1 returning id, entrypoint, priority
)
insert into pgqueuer.pgqueuer_log (job_id, status, entrypoint, priority, traceback)
select id, 'queued', entrypoint, priority, $3::jsonb from retry
"""


PARKED = {"parked": "1"}
"""The header of a job that waits until fewer of its tenant run."""


class PutOff(RetryRequested):
    """A job goes back into the queue though nothing failed: it counts as no attempt."""


@dataclass
class Queue(Queries):
    """The library's statements, except for what it lacks: queues that stand still, and waits that are no failures.

    tenant_limits: by queue, how many jobs of one tenant may run, on all workers together.
    """

    tenant_limits: Mapping[str, int] = field(default_factory=dict)

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
        taken = await super().dequeue(batch_size, moving, queue_manager_id, global_concurrency_limit, heartbeat_timeout)
        limited = [job.id for job in taken if job.entrypoint in self.tenant_limits]
        if not limited:
            return taken
        names, limits = list(self.tenant_limits), list(self.tenant_limits.values())
        parked = {row["id"] for row in await self.driver.fetch(_PARK, limited, names, limits)}
        return [job for job in taken if job.id not in parked]

    async def start_gathering_anew(self, job_id: int) -> None:
        """Let facts that come from now on have a job of their own: what this one reads may be older than they are."""
        await self.driver.execute(_START, job_id)

    async def give_place(self, job: Job) -> None:
        """Let a tenant's next parked job have the place of one that is done; it is taken within a second."""
        await self.driver.execute(_GIVE_PLACE, job.id)

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


def queue_on(connection: asyncpg.Connection, tenant_limits: Mapping[str, int] | None = None) -> Queue:
    """The queue's statements on one connection, within its transaction if it has one.

    tenant_limits: as in `Queue`, for who takes jobs.
    """
    return Queue(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(NAMES),
        qbq=QueryQueueBuilder(NAMES),
        qbs=QuerySchedulerBuilder(NAMES),
        tenant_limits=tenant_limits or {},
    )

"""The job queue: pgqueuer's tables in their own schema, and what a job carries."""

from uuid import UUID

import asyncpg
import msgspec
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

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


class HandlerJob(msgspec.Struct, frozen=True, kw_only=True):
    """What a job says: run the handler it is queued for on this fact. Keys it does not know are passed over.

    request_id: of the request that led to the fact; it goes on every line of the log.
    """

    tenant_id: UUID
    fact_id: UUID
    kind: str
    version: int
    request_id: str


def queue_on(connection: asyncpg.Connection) -> Queries:
    """The queue's statements on one connection, within its transaction if it has one."""
    return Queries(
        AsyncpgDriver(connection),
        qbe=QueryBuilderEnvironment(NAMES),
        qbq=QueryQueueBuilder(NAMES),
        qbs=QuerySchedulerBuilder(NAMES),
    )

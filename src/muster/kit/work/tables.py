"""The tables of the worker. Those of the job queue belong to its library and are not declared here."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, Json, TenantTable, plain

_WAITING = "awaits is not null and result is null"


class ScheduleRun(GlobalTable):
    """When an entry of the schedule last ran; NULL when it never has."""

    __tablename__ = "schedule_runs"
    reason: ClassVar[str] = "when each entry of the schedule last ran; no tenant has a schedule of its own"

    name: Mapped[str] = plain(unique=True)
    last_run_at: Mapped[datetime | None] = plain()


class PausedQueue(GlobalTable):
    """A queue that stands still: what waits in it is kept, and nothing of it is started."""

    __tablename__ = "paused_queues"
    reason: ClassVar[str] = "which queues stand still; queues are of the whole deployment"

    queue: Mapped[str] = plain(unique=True)
    since: Mapped[datetime] = plain()


class JobStep(TenantTable):
    """A step of a job, with what it remembers; NULL until it is done. Results are ids and numbers, as facts hold them.

    due_at: when a sleep is over, or a wait is given up. awaits, about: the kind of fact waited for, and its subject.
    """

    __tablename__ = "job_steps"
    __table_args__ = (
        UniqueConstraint("tenant_id", "job_id", "name"),
        Index("job_steps_awaits_idx", "tenant_id", "about", "awaits", postgresql_where=_WAITING),
        Index("job_steps_job_idx", "job_id"),
    )
    is_machinery: ClassVar[bool] = True

    job_id: Mapped[int] = plain()
    name: Mapped[str] = plain()
    result: Mapped[Json | None] = plain()
    due_at: Mapped[datetime | None] = plain()
    awaits: Mapped[str | None] = plain()
    about: Mapped[UUID | None] = plain()

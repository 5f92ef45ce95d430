"""The tables of the worker. Those of the job queue belong to its library and are not declared here."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, plain


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

"""What is due when: one line per entry, `every(seconds=..., name=..., run=...)`."""

from muster.identity.jobs import forget_expired
from muster.kit.work.jobs import forget_finished
from muster.kit.work.schedule import every

every(seconds=60, name="jobs.forget_finished", run=forget_finished)
every(seconds=3600, name="identity.forget_expired", run=forget_expired)

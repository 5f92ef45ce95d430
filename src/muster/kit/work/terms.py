"""Terms: how the jobs of a handler stand in the queue, where they are not like all others."""

from dataclasses import dataclass
from enum import IntEnum


class Priority(IntEnum):
    """Which jobs go first when there are more than workers can do at once."""

    LOW = -1
    NORMAL = 0
    HIGH = 1


@dataclass(frozen=True)
class Terms:
    """The terms of one handler; without any, its jobs run as they come, as many as there is room for.

    at_once: how many run, on all workers together; 0 is no limit. tenant_at_once: how many of one tenant, likewise.
    gathers: facts about the same thing share one job for as long as it has not started. It follows the first of them,
    and reads the present state.
    """

    at_once: int = 0
    tenant_at_once: int = 0
    priority: Priority = Priority.NORMAL
    gathers: bool = False


PLAIN = Terms()
"""No terms."""

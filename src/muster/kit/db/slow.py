"""Slow statements: counted, and logged with their text, which holds parameters and none of their values."""

from dataclasses import dataclass

import structlog

from muster.kit.metrics import SLOW_QUERIES

log = structlog.get_logger()

_LONGEST_TEXT = 2000


@dataclass
class Slowness:
    """seconds: from here on a statement is slow. A read takes some milliseconds."""

    seconds: float = 0.5


SLOW = Slowness()
"""Of this process; a setting may say otherwise."""


def report_if_slow(text: str, seconds: float) -> None:
    """Tell of a statement that took so long; its lock or its place in the server counts as much as its work.

    seconds: for one run, its way there and back included.
    """
    if seconds >= SLOW.seconds:
        SLOW_QUERIES.inc()
        log.warning("db.slow_query", seconds=round(seconds, 3), statement=text[:_LONGEST_TEXT])

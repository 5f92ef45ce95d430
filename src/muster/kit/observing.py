"""What operators see of a process, switched on by settings before anything else is opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from muster.kit.db.slow import SLOW
from muster.kit.faults import faults_told
from muster.kit.tracing.exporting import traced
from muster.settings import Settings


@asynccontextmanager
async def observed(settings: Settings, process: str) -> AsyncIterator[None]:
    """Have faults, traces and slow statements told meanwhile, as settings say. process: what it is, such as `api`."""
    watching = settings.watching
    usual, SLOW.seconds = SLOW.seconds, watching.slow_seconds
    try:
        async with (
            faults_told(watching.sentry_dsn, environment=settings.environment, process=process),
            traced(settings.traces, process),
        ):
            yield
    finally:
        SLOW.seconds = usual

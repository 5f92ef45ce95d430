"""The two processes, each alone: API and worker."""

from muster.kit import log
from muster.settings import Settings, needed


def serve() -> None:
    """Run the API alone, on a database that is there and migrated.

    Example: DATABASE_URL=postgresql://muster_app:...@db/muster muster serve
    """
    settings = Settings.load()
    needed("DATABASE_URL", settings.database.url)

    from muster.main import serve as run  # after the settings are known to be right: it takes half a second

    log.configure(settings.log_level, process=settings.metrics.name)
    run(settings)


def worker() -> None:
    """Run the worker alone: handlers of facts, jobs and what is due.

    Example: DATABASE_WORKER_URL=postgresql://muster_worker:...@db/muster muster worker
    """
    settings = Settings.load()
    needed("DATABASE_WORKER_URL", settings.database.worker_url)

    from muster.worker import run

    log.configure(settings.log_level, process=settings.metrics.name)
    run(settings)

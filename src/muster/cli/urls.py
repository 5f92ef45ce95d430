"""Which database a verb works on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from muster.kit.db.embedded import AlreadyRunning, EmbeddedPostgres
from muster.kit.db.migrate import Urls, provision
from muster.settings import Settings, needed


def given_urls(settings: Settings) -> Urls:
    """The addresses that are set, past a pooler where there is one. Raises SettingError when one is missing."""
    database = settings.database
    return Urls(
        owner=needed("DATABASE_OWNER_URL", database.owner_url),
        app=needed("DATABASE_URL", database.direct_url),
        worker=needed("DATABASE_WORKER_URL", database.worker_direct_url),
    )


@contextmanager
def running_database(settings: Settings) -> Iterator[Urls]:
    """Addresses of a database that runs: the given one, or the embedded one, started meanwhile if nobody runs it.

    Raises SettingError, EmbeddedError, CannotMigrate.
    """
    if settings.database.url:
        yield given_urls(settings)
        return
    with ExitStack() as stack:
        embedded = EmbeddedPostgres(settings.data_dir)
        with suppress(AlreadyRunning):
            stack.enter_context(embedded)
        yield provision(embedded, settings.database.role_prefix)

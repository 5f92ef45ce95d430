"""A migrated database that lives only as long as it is looked at: for the scripts of `make check`."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, migrate, provision


@contextmanager
def migrated_database() -> Iterator[Urls]:
    """Start a PostgreSQL of one's own, bring a database up to date in it, and remove both at the end."""
    folder = Path(tempfile.mkdtemp(prefix="muster-check-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder, durable=False) as server:
            urls = provision(server)
            migrate(urls)
            yield urls
    finally:
        shutil.rmtree(folder)

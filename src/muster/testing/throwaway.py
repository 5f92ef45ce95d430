"""Databases that live only as long as they are looked at."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, migrate, provision

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
_ROOM = 4 * 1024**3
"""Bytes; more than the copies that live at once and the log of a server take together."""


def throwaway_folder(prefix: str) -> Path:
    """An empty folder for a server that nobody will miss, in memory where there is room for it.

    A copy of a database is a thousand files. ext4 takes a quarter of a second to make them where others were just
    removed, since it looks for a number that no removed file had lately; memory takes a tenth of that.
    """
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if _has_room(_MEMORY) else None))
    folder.chmod(0o711)
    return folder


def _has_room(folder: Path) -> bool:
    """Whether it is there, may be written to, runs programs, and has room."""
    if not os.access(folder, os.W_OK):
        return False
    runs_programs = not os.statvfs(folder).f_flag & os.ST_NOEXEC
    return runs_programs and shutil.disk_usage(folder).free >= _ROOM


@contextmanager
def migrated_database() -> Iterator[Urls]:
    """Start a PostgreSQL of one's own, bring a database up to date in it, and remove both at the end."""
    folder = throwaway_folder("muster-check-")
    try:
        with EmbeddedPostgres(folder, durable=False) as server:
            urls = provision(server)
            migrate(urls)
            yield urls
    finally:
        shutil.rmtree(folder)

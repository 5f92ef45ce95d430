"""A real pgbouncer before a test's database, lending its connections for one transaction each."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import psycopg
import pytest

from muster.kit.db.binaries import ServerUser
from muster.kit.db.migrate import Urls
from muster.kit.processes import die_with_parent

_PROGRAM = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin:/usr/local/sbin")
_PATIENCE = 200

needs_pooler = pytest.mark.skipif(_PROGRAM is None, reason="pgbouncer is not installed; `apt-get install pgbouncer`")
"""Marks tests that use it."""

# Fewer connections to the server than any pool of ours has, so that they really change hands.
_TERMS = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
min_pool_size = 0
max_client_conn = 500
server_lifetime = 3
logfile = {folder}/log
"""


@dataclass
class Pooler:
    """A running pgbouncer. urls: of the database through it, for those who serve."""

    urls: Urls
    folder: Path
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and return once it lets in."""
        assert _PROGRAM is not None
        user = ServerUser.of_this_process()
        self._process = subprocess.Popen(
            [_PROGRAM, str(self.folder / "ini")],
            cwd="/",
            user=user.uid,
            group=user.gid,
            extra_groups=user.groups,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent(9),  # noqa: PLW1509 - started before any thread
        )
        for _ in range(_PATIENCE):
            try:
                psycopg.connect(self.urls.app, connect_timeout=5).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
            else:
                return
        raise AssertionError("pgbouncer lets nobody in")

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextmanager
def pooling(urls: Urls, *, size: int = 3) -> Iterator[Pooler]:
    """A pooler before a database. size: of connections that it keeps to it for each role."""
    folder = Path(tempfile.mkdtemp(prefix="muster-pooler-"))
    folder.chmod(0o711)
    try:
        app = urlsplit(urls.app)
        query = parse_qs(app.query)
        (folder / "ini").write_text(
            _TERMS.format(host=query["host"][0], port=query["port"][0], folder=folder, size=size)
        )
        roles = [urlsplit(url) for url in (urls.app, urls.worker)]
        users = (f'"{unquote(role.username or "")}" "{unquote(role.password or "")}"\n' for role in roles)
        (folder / "users").write_text("".join(users))
        user = ServerUser.of_this_process()
        for path in (folder, *folder.iterdir()):
            user.own(path)
        through = replace(urls, app=_through(urls.app, folder), worker=_through(urls.worker, folder))
        pooler = Pooler(through, folder)
        try:
            pooler.start()
            yield pooler
        finally:
            pooler.kill()
    finally:
        shutil.rmtree(folder)


def pooled_environ(direct: Urls, pooler: Pooler) -> dict[str, str]:
    """The settings of whoever serves through a pooler. direct: the way past it."""
    return {
        "DATABASE_POOLER": "transaction",
        "DATABASE_URL": pooler.urls.app,
        "DATABASE_WORKER_URL": pooler.urls.worker,
        "DATABASE_DIRECT_URL": direct.app,
        "DATABASE_WORKER_DIRECT_URL": direct.worker,
    }


def _through(url: str, folder: Path) -> str:
    parts = urlsplit(url)
    return parts._replace(query=f"host={folder}&port=6432").geturl()

"""A real streaming replica of the tests' server."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from muster.kit.db.binaries import ServerUser, reachable_programs
from muster.kit.db.embedded import EmbeddedPostgres
from muster.testing.throwaway import throwaway_folder


@contextmanager
def replicating(primary: EmbeddedPostgres) -> Iterator[EmbeddedPostgres]:
    """A server that follows another, removed at the end."""
    folder = throwaway_folder("muster-replica-")
    replica = EmbeddedPostgres(folder, durable=False)
    try:
        for secret in primary.data_dir.glob("*.password"):
            shutil.copy(secret, folder)
        _copy(primary, next(primary.data_dir.glob("pg[0-9]*")).name, folder)
        with replica:
            yield replica
    finally:
        shutil.rmtree(folder)


def _copy(primary: EmbeddedPostgres, cluster: str, folder: Path) -> None:
    with psycopg.connect(primary.superuser_url(), autocommit=True) as connection:
        # Dropping a database ends with a checkpoint, and other tests drop theirs meanwhile.
        connection.execute("alter system set wal_keep_size = '1GB'")
        connection.execute("select pg_reload_conf()")
    user = ServerUser.of_this_process()
    target = folder / cluster
    target.mkdir(mode=0o700)
    user.own(target)
    program = reachable_programs(folder, user) / "bin" / "pg_basebackup"
    url = primary.superuser_url()
    made = user.run(program, "--dbname", url, "--pgdata", target, "--write-recovery-conf", "--checkpoint=fast")
    assert made.returncode == 0, made.stderr.decode()


def on_replica(replica: EmbeddedPostgres, url: str) -> str:
    """The address of the same database on a replica. url: on what it follows."""
    ours = urlsplit(replica.superuser_url())
    return urlsplit(url)._replace(query=ours.query).geturl()


def set_paused(replica: EmbeddedPostgres, *, paused: bool) -> None:
    """Have a replica stand still, or follow again."""
    with psycopg.connect(replica.superuser_url(), autocommit=True) as connection:
        connection.execute("select pg_wal_replay_pause()" if paused else "select pg_wal_replay_resume()")

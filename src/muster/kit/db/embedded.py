"""PostgreSQL that comes with Muster, under our own small supervision.

The server listens on a Unix socket only, asks for a password, and belongs to one data directory:

    <data_dir>/pg18/                the cluster, named by major version
    <data_dir>/postgres.lock        held (flock) by the process that runs the server
    <data_dir>/postgres.log         what the server says; what it said before the last start is in postgres.log.1
    <data_dir>/postgres.password    the superuser's, mode 0600

PostgreSQL refuses to run as root, so root hands it to the user `nobody`.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psutil
import psycopg

from muster.kit.db.binaries import EmbeddedError, ServerUser, environment, installed_version, reachable_programs
from muster.kit.processes import die_with_parent, short_folder
from muster.kit.secretfile import kept_secret

SUPERUSER = "postgres"
PORT = 5432  # only names the socket: nothing listens on TCP

READY_SECONDS = 300.0  # crash recovery replays up to max_wal_size of log
LEFTOVER_SECONDS = 15.0  # backends of a killed postmaster leave within a second or so
FAST_STOP_SECONDS = 30.0
IMMEDIATE_STOP_SECONDS = 10.0

SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Compiling a plan costs more than the short statements of an API take.
    "jit": "off",
    # Rows of the outbox and of the job queue die within moments; with the default minute their plans go bad.
    "autovacuum_naptime": "5s",
    "max_connections": "200",
    "shared_buffers": "192MB",
    # DETAIL lines quote rows, that is personal data; statements quote parameters.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
# For tests: what a power cut would lose is thrown away anyway, and nobody guesses passwords that live for minutes.
THROWAWAY_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "scram_iterations": "1"}


class AlreadyRunning(EmbeddedError):
    """Another process runs the server of this data directory.

    Attributes:
        holder: process id of that process, None while it is only just starting.
    """

    def __init__(self, data_dir: Path, holder: int | None) -> None:
        self.holder = holder
        who = "another process" if holder is None else f"process {holder}"
        super().__init__(f"The PostgreSQL in {data_dir} is already run by {who}: stop that first.")


class EmbeddedPostgres:
    """The server of one data directory, as a child of this process.

    Args:
        data_dir: made when missing; for root it must be reachable by the user `nobody`.
        durable: False gives up crash safety for speed, for tests only.
    """

    def __init__(self, data_dir: Path, *, durable: bool = True) -> None:
        self.data_dir = data_dir.resolve()
        self._durable = durable
        self._user = ServerUser.of_this_process()
        self._lock: IO[str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._log = self.data_dir / "postgres.log"
        self._sockets = _socket_dir(self.data_dir)

    @property
    def pid(self) -> int | None:
        """Process id of the running postmaster, None when it does not run."""
        return self._child.pid if self._child is not None and self.alive() else None

    def alive(self) -> bool:
        """Whether the postmaster that this object started still runs."""
        return self._child is not None and self._child.poll() is None

    def was_started(self) -> bool:
        """Whether anybody ever started a server in this data directory; it may have stopped since."""
        return (self.data_dir / "postgres.lock").exists()

    def superuser_url(self, database: str = "postgres") -> str:
        """Address of a database for the superuser, password included; needs no started server."""
        return self.url(SUPERUSER, kept_secret(self.data_dir / "postgres.password"), database)

    def url(self, user: str, password: str, database: str) -> str:
        """Address of a database on this server for a role, password included."""
        host = quote(str(self._sockets), safe="")
        return f"postgresql://{quote(user)}:{quote(password, safe='')}@/{quote(database)}?host={host}&port={PORT}"

    def start(self) -> None:
        """Start the server and return once it answers; make the cluster first when there is none.

        A server that a killed process left behind is stopped and started anew.

        Raises:
            AlreadyRunning: another process holds this data directory.
            EmbeddedError: it cannot start; the message holds the remedy or the end of the log.
        """
        if self.alive():
            return
        self._prepare_data_dir()
        self._take_lock()
        try:
            programs = reachable_programs(self.data_dir, self._user) / "bin"
            cluster = self._cluster(programs)
            _stop_leftover(cluster, self._sockets)
            if not cluster.exists():
                self._initdb(programs, cluster)
            self._start_postmaster(programs, cluster)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server (running statements are cancelled) and let go of the data directory."""
        child, self._child = self._child, None
        if child is not None and child.poll() is None:
            _stop(psutil.Process(child.pid))
            child.wait()
            with suppress(OSError):  # it may hold what a killed server left; that is no reason to fail
                self._sockets.rmdir()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _prepare_data_dir(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        if not self._user.is_other:
            return
        self.data_dir.chmod(self.data_dir.stat().st_mode | 0o011)
        if self._user.run("/bin/sh", "-c", 'test -x "$0"', self.data_dir).returncode != 0:
            raise EmbeddedError(
                "PostgreSQL does not run as root, and the user nobody, who runs it instead, cannot reach "
                f"{self.data_dir}: set MUSTER_DATA_DIR to a directory open to others, such as /var/lib/muster."
            )

    def _take_lock(self) -> None:
        """Hold the data directory for as long as this object runs its server; a killed process lets go by itself."""
        if self._lock is not None:
            return
        lock = (self.data_dir / "postgres.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with lock:
                lock.seek(0)
                holder = lock.read().strip()
            raise AlreadyRunning(self.data_dir, int(holder) if holder.isdigit() else None) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _cluster(self, programs: Path) -> Path:
        """The cluster's directory, which may not exist yet.

        Raises:
            EmbeddedError: there are only clusters of other major versions, which this one cannot read.
        """
        major = installed_version(programs.parent).split(".")[0]
        cluster = self.data_dir / f"pg{major}"
        others = [path.name for path in sorted(self.data_dir.glob("pg[0-9]*")) if path != cluster]
        if others and not cluster.exists():
            raise EmbeddedError(
                f"{self.data_dir} holds a database of another PostgreSQL ({', '.join(others)}) and this Muster brings "
                f"version {major}: back it up with the Muster that made it, then restore it with this one."
            )
        return cluster

    def _initdb(self, programs: Path, cluster: Path) -> None:
        """Make the cluster aside and move it into place whole: an attempt cut off leaves nothing to trip on."""
        draft = cluster.with_name(f".{cluster.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._user.own(draft)
        with self._readable_password() as password:
            done = self._user.run(
                *(programs / "initdb", "--pgdata", draft, "--username", SUPERUSER, "--pwfile", password),
                *("--auth-local", "scram-sha-256", "--auth-host", "scram-sha-256", "--encoding", "UTF8"),
                *("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--locale", "C"),
                # pg_trgm asks the C library what a letter is; its plain C locale knows only ASCII.
                *("--lc-ctype", "UTF-8" if sys.platform == "darwin" else "C.UTF-8"),
                *(() if self._durable else ("--no-sync",)),
            )
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise EmbeddedError(f"initdb could not make a database in {self.data_dir}: {said}")
        draft.rename(cluster)

    @contextmanager
    def _readable_password(self) -> Iterator[Path]:
        """The superuser's password in a file of the server's user, for as long as initdb needs it."""
        with tempfile.NamedTemporaryFile("w", dir=self.data_dir) as file:
            file.write(kept_secret(self.data_dir / "postgres.password"))
            file.flush()
            path = Path(file.name)
            self._user.own(path)
            yield path

    def _start_postmaster(self, programs: Path, cluster: Path) -> None:
        """Start it, and again for as long as backends of a killed postmaster hold its shared memory."""
        self._make_socket_dir()
        with suppress(FileNotFoundError):
            self._log.replace(self._log.with_suffix(".log.1"))
        give_up = time.monotonic() + LEFTOVER_SECONDS
        while True:
            self._spawn(programs, cluster)
            if self._becomes_ready():
                return
            said = "\n".join(self._log.read_text(errors="replace").splitlines()[-12:])
            if "pre-existing shared memory block" not in said or time.monotonic() > give_up:
                raise EmbeddedError(f"PostgreSQL did not start. The end of {self._log}:\n{said}")
            time.sleep(0.2)

    def _make_socket_dir(self) -> None:
        with suppress(FileExistsError):
            self._sockets.mkdir(mode=0o700)
            self._user.own(self._sockets)
        expected = self._user.uid if self._user.is_other else os.geteuid()
        if self._sockets.is_symlink() or self._sockets.stat().st_uid != expected:
            raise EmbeddedError(
                f"{self._sockets} belongs to somebody else: remove it or choose another MUSTER_DATA_DIR."
            )

    def _spawn(self, programs: Path, cluster: Path) -> None:
        quoted_sockets = '"' + str(self._sockets).replace('"', '""') + '"'
        settings = SERVER_SETTINGS | {"unix_socket_directories": quoted_sockets}
        settings |= {} if self._durable else THROWAWAY_SETTINGS
        options = [f"--{name}={value}" for name, value in settings.items()]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [programs / "postgres", "-D", cluster, *options],
                cwd="/",
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal reaches the whole process group, and the database has to stop last.
                start_new_session=True,
                # Data worth keeping deserves its own orderly end; a server for tests must not outlive them.
                preexec_fn=None if self._durable else die_with_parent(signal.SIGINT),  # noqa: PLW1509 - started before any thread
                user=self._user.uid,
                group=self._user.gid,
                extra_groups=self._user.groups,
            )

    def _becomes_ready(self) -> bool:
        """Wait until the server answers a statement; False when it exits instead."""
        deadline = time.monotonic() + READY_SECONDS
        while self.alive():
            if _answers(self.superuser_url()):
                return True
            if time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not answer within {READY_SECONDS:.0f} s: see {self._log}.")
            time.sleep(0.02)
        return False


def _socket_dir(data_dir: Path) -> Path:
    """Where the socket lives. It depends on the data directory alone, so that every process finds the same."""
    return short_folder(data_dir / "sockets", f".s.PGSQL.{PORT}.lock")


def _answers(url: str) -> bool:
    """Whether a server takes connections and runs statements: pg_ctl calls one ready that is still recovering.

    Raises:
        EmbeddedError: it is up, and the kept password is not its password.
    """
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise EmbeddedError(
                "The embedded PostgreSQL refuses the password in postgres.password: restore that file from a backup."
            ) from error
        return False
    return True


def _stop_leftover(cluster: Path, sockets: Path) -> None:
    """Stop a postmaster whose supervisor was killed; forget a lock file whose process id now means another program."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        process = psutil.Process(pid)
        if process.cwd() == str(cluster.resolve()):
            _stop(process)
            return
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return
    except psutil.AccessDenied:
        pass
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    for lock in sockets.glob(".s.PGSQL.*.lock"):
        lock.unlink()


def _stop(process: psutil.Process) -> None:
    """Fast shutdown, then, if that hangs, an immediate one, which the next start recovers from.

    Raises:
        EmbeddedError: it survives both.
    """
    for number, seconds in ((signal.SIGINT, FAST_STOP_SECONDS), (signal.SIGQUIT, IMMEDIATE_STOP_SECONDS)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
        if _ends_within(process, seconds):
            return
    raise EmbeddedError(f"PostgreSQL (process {process.pid}) does not stop: end it by hand, then start again.")


def _ends_within(process: psutil.Process, seconds: float) -> bool:
    """Wait for its end. A zombie has ended: whoever should collect it, such as init in a container, may never do so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False

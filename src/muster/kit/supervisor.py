"""The whole house with one command: the database, then the programs that use it, kept running until told to stop.

Programs that serve share one listening socket, which this process keeps open: who connects while one of them is away is
answered by another, or waits for it. SIGUSR1 restarts them one after the other.

A program or database that dies is started again after a short, growing delay. Programs stop before the database. When
this process is killed outright, Linux ends the programs; the database stays and is taken over by the next start.
"""

import fcntl
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from muster.kit.db.binaries import EmbeddedError
from muster.kit.db.embedded import EmbeddedPostgres
from muster.kit.db.migrate import Urls, migrate, provision
from muster.kit.processes import CannotRun, die_with_parent

POLL_SECONDS = 0.1
FIRST_DELAY_SECONDS = 0.2
LONGEST_DELAY_SECONDS = 10.0
STEADY_SECONDS = 30.0  # after running that long, the next failure is a first one again
STARTING_ATTEMPTS = 3  # before the first readiness, more failures than this are not bad luck
STOP_SECONDS = 20.0
PORT_SECONDS = 2.0  # a port stays taken for a moment after its program was killed
BACKLOG = 2048  # as many as uvicorn lets wait

Say = Callable[[str], None]


class SupervisorError(CannotRun):
    """The programs cannot run; the message says what to do."""


class AlreadyUp(Exception):
    """Another supervisor runs, or is starting, with this data directory. Not a failure for whoever wants it up."""


@dataclass(frozen=True)
class Plan:
    """What to run.

    Attributes:
        data_dir: of the embedded database; two supervisors never share one.
        host, port: where the API listens.
        urls: an external database; None runs the embedded one.
        role_prefix: what database role names begin with.
        programs: command line by name, in the order of starting.
        serving: the names of those that are handed the listening socket, and that say when they serve.
        fill: what else belongs into the database before anything serves.
        welcome: command line of what runs once when the API is ready; None is nothing.
        environ: the environment of the programs, given the database's addresses.
        beneath: the names of those that others stand on; they stop after them.
    """

    data_dir: Path
    host: str
    port: int
    urls: Urls | None
    role_prefix: str
    programs: Mapping[str, Sequence[str]]
    serving: Collection[str]
    environ: Callable[[Urls], Mapping[str, str]]
    fill: Callable[[Urls], None] = lambda _urls: None
    welcome: Sequence[str] | None = None
    beneath: Collection[str] = ()

    @property
    def local_host(self) -> str:
        """Where this machine reaches the API."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)  # noqa: S104

    @property
    def address(self) -> str:
        """The API's address for people on this machine."""
        host = f"[{self.local_host}]" if ":" in self.local_host else self.local_host
        return f"http://{host}:{self.port}"


def supervise(plan: Plan, say: Say) -> None:
    """Run everything until SIGINT, SIGTERM or SIGHUP, then stop all of it.

    Args:
        plan: what to run.
        say: tells people how far it is, one line a time.

    Raises:
        AlreadyUp: it runs already; nothing was started.
        SupervisorError, EmbeddedError, CannotMigrate: it cannot run; everything is stopped again.
    """
    # Short, since the name of a socket holds 107 bytes, and closed to everybody else.
    with (
        _only_one(plan),
        _listener(plan.host, plan.port) as listener,
        TemporaryDirectory(prefix="muster-") as folder,
    ):
        house = _House(plan, say, listener, Path(folder))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, house.interrupt)
        signal.signal(signal.SIGUSR1, lambda *_: house.restart_serving())
        try:
            house.start()
            house.watch()
        except KeyboardInterrupt:
            say("Stopping.")
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)
            house.stop()


@dataclass
class _Patience:
    """How long to wait before something that died is started again."""

    failures: int = 0
    due: float = 0.0
    _delay: float = FIRST_DELAY_SECONDS
    _started: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        self._started, self.due = time.monotonic(), 0.0

    def fail(self) -> float:
        """Note a failure; returns the seconds to wait."""
        now = time.monotonic()
        if now - self._started > STEADY_SECONDS:
            self.failures, self._delay = 0, FIRST_DELAY_SECONDS
        self.failures += 1
        delay, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY_SECONDS)
        self.due = now + delay
        return delay


class _Program:
    """One child process that should run."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        listener: socket.socket | None = None,
    ) -> None:
        """listener: what it serves on; None is a program that does not serve."""
        self.name = name
        self.patience = _Patience()
        self.listener = listener
        self._hears: int | None = None
        self._ready = False
        self._restarting = False
        self._arguments = arguments
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.patience.start()
        self._ready = self._restarting = False
        if self.listener is None:
            self._spawn({})
            return
        hears, tells = os.pipe()
        self._spawn({"LISTEN_FD": self.listener.fileno(), "READY_FD": tells})
        os.close(tells)
        if self._hears is not None:
            os.close(self._hears)
        self._hears = hears

    def _spawn(self, handed: Mapping[str, int]) -> None:
        """handed: open files that the program inherits, by what tells it their numbers."""
        self._process = subprocess.Popen(
            self._arguments,
            env={**self._environ, **{name: str(number) for name, number in handed.items()}},
            pass_fds=tuple(handed.values()),
            stdin=subprocess.DEVNULL,
            # Ctrl-C is for us alone: we pass it on in the right order.
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - started before any thread
        )

    def revive(self, say: Say) -> None:
        """Notice that it died, and start it again when that is due."""
        if self._process is None:
            if time.monotonic() >= self.patience.due:
                self.start()
        elif (status := self._process.poll()) is not None:
            self._process = None
            if self._restarting:
                self.start()
                return
            delay = self.patience.fail()
            say(f"{self.name} stopped ({_describe(status)}); starting it again in {delay:.1f} s.")

    def collect(self) -> None:
        """Notice that it ended, as it should."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None

    def is_ready(self) -> bool:
        """Whether it runs and has said that it serves."""
        if self._process is None or self._hears is None or self._restarting:
            return False
        if not self._ready and select.select([self._hears], [], [], 0)[0]:
            self._ready = os.read(self._hears, 1) == b"1"
        return self._ready

    def restart(self) -> None:
        """Ask it to stop, and start it again as soon as it has."""
        self._restarting = True
        self.ask_to_stop()

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def stop_by(self, deadline: float) -> None:
        """Wait for its end, and force it after the deadline."""
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _House:
    """The database and the programs of one plan."""

    def __init__(self, plan: Plan, say: Say, listener: socket.socket, folder: Path) -> None:
        """folder: where the programs find each other."""
        self._plan = plan
        self._folder = folder
        self._listener = listener
        self._to_restart: deque[_Program] = deque()
        self._say = say
        self._embedded: EmbeddedPostgres | None = None
        self._embedded_patience = _Patience()
        self._programs: list[_Program] = []
        self._welcome: list[_Program] = []
        self._is_over = False

    def interrupt(self, _number: int, _frame: FrameType | None) -> None:
        """Stop at once; by the next look at the latest, since Python drops what is raised while it frees an object."""
        self._is_over = True
        raise KeyboardInterrupt

    def start(self) -> None:
        plan = self._plan
        urls = self._database()
        self._say("Bringing the database up to date.")
        migrate(urls, plan.role_prefix)
        plan.fill(urls)
        *names, last = plan.programs
        self._say(f"Starting {', '.join(names)} and {last}." if names else f"Starting {last}.")
        environ = plan.environ(urls)
        self._programs = [
            _Program(
                name,
                arguments,
                {**environ, "METRICS_SOCKET": str(self._folder / name)},
                self._listener if name in plan.serving else None,
            )
            for name, arguments in plan.programs.items()
        ]
        self._welcome = [_Program("welcome", plan.welcome, environ)] if plan.welcome else []
        for program in self._programs:
            program.start()

    def watch(self) -> None:
        """Keep everything running; returns only by an exception."""
        ready = False
        while True:
            if self._is_over:
                raise KeyboardInterrupt
            self._revive_database()
            for program in self._programs:
                program.revive(self._say)
                if not ready and program.patience.failures >= STARTING_ATTEMPTS:
                    raise SupervisorError(f"{program.name} does not start: its own words are above.")
            if not ready and _is_ready(self._plan):
                ready = True
                self._say(f"Muster runs at {self._plan.address} (Ctrl-C stops it).")
                for program in self._welcome:
                    program.start()
            for program in self._welcome:
                program.collect()
            self._restart_next()
            time.sleep(POLL_SECONDS)

    def restart_serving(self) -> None:
        """Restart every program that serves, one after the other."""
        self._to_restart.extend(self._serving())

    def _restart_next(self) -> None:
        # One that does not come back holds up the rest, which go on serving.
        if self._to_restart and all(program.is_ready() for program in self._serving()):
            program = self._to_restart.popleft()
            self._say(f"Restarting {program.name}.")
            program.restart()

    def _serving(self) -> list[_Program]:
        return [program for program in self._programs if program.listener is not None]

    def stop(self) -> None:
        """Programs first, within a bounded time, then the database."""
        programs, deadline = [*self._welcome, *self._programs], time.monotonic() + STOP_SECONDS
        for is_beneath in (False, True):
            level = [program for program in programs if (program.name in self._plan.beneath) is is_beneath]
            for program in level:
                program.ask_to_stop()
            for program in level:
                program.stop_by(deadline)
        if self._embedded is not None:
            self._embedded.stop()

    def _database(self) -> Urls:
        """The plan's database, or the embedded one, started."""
        if self._plan.urls is not None:
            return self._plan.urls
        self._say(f"Starting PostgreSQL in {self._plan.data_dir}.")
        self._embedded = EmbeddedPostgres(self._plan.data_dir)
        self._embedded.start()
        return provision(self._embedded, self._plan.role_prefix)

    def _revive_database(self) -> None:
        if self._embedded is None or self._embedded.alive() or time.monotonic() < self._embedded_patience.due:
            return
        self._say("PostgreSQL stopped; starting it again.")
        try:
            self._embedded.start()
            self._embedded_patience.start()
            self._say("PostgreSQL runs again.")
        except EmbeddedError as error:
            delay = self._embedded_patience.fail()
            self._say(f"{error} Trying again in {delay:.1f} s.")


@contextmanager
def _only_one(plan: Plan) -> Iterator[None]:
    """Hold the data directory against a second supervisor; a killed one lets go by itself."""
    plan.data_dir.mkdir(parents=True, exist_ok=True)
    with (plan.data_dir / "up.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = {"address": "an unknown address", "pid": "unknown"}
            with suppress(json.JSONDecodeError):
                holder |= json.loads(lock.read())
            raise AlreadyUp(f"Muster already runs at {holder['address']} (process {holder['pid']}).") from None
        lock.truncate(0)
        lock.write(json.dumps({"address": plan.address, "pid": os.getpid()}))
        lock.flush()
        yield


def _listener(host: str, port: int) -> socket.socket:
    """The socket on which everybody is served, open before anything is started."""
    give_up = time.monotonic() + PORT_SECONDS
    while True:
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            return socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if time.monotonic() > give_up:
                raise SupervisorError(
                    f"Muster cannot listen on {host}, port {port} ({error.strerror}): stop what uses it, "
                    f"or choose another, as in PORT={port + 1}."
                ) from error
            time.sleep(POLL_SECONDS)


def _is_ready(plan: Plan) -> bool:
    connection = http.client.HTTPConnection(plan.local_host, plan.port, timeout=1)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _describe(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"

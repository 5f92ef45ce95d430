"""`muster up`, with small programs in place of API and worker: starts, keeps running, stops whole."""

import http.client
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

PATIENCE = 60.0

# supervise.py DATA_DIR PORT [PROGRAM...]: what `muster up` does with its own two programs.
SUPERVISE = """
import os, sys
from pathlib import Path
from muster.kit.supervisor import AlreadyUp, Plan, supervise
data_dir, port, *programs = sys.argv[1:]
scripts = {program: [sys.executable, str(Path(__file__).with_name(program + ".py")), port] for program in programs}
plan = Plan(
    data_dir=Path(data_dir), host="127.0.0.1", port=int(port), urls=None, role_prefix="muster", programs=scripts,
    serving=["serve"],
    environ=lambda urls: os.environ | {"DATABASE_URL": urls.app},
    welcome=[sys.executable, str(Path(__file__).with_name("welcome.py"))],
)
try:
    supervise(plan, lambda line: print(line, flush=True))
except AlreadyUp as running:
    print(running)
"""
# Ready when a statement runs, as the API is.
SERVE = """
import os, socket, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
import psycopg
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            psycopg.connect(os.environ["DATABASE_URL"]).close()
            self.send_response(200)
        except psycopg.OperationalError:
            self.send_response(503)
        self.end_headers()
    def log_message(self, *_):
        return
server = HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=int(os.environ["LISTEN_FD"]))
server.serve_forever()
"""
WORKER = "import time; time.sleep(3600)"
WELCOME = "print('What to try', flush=True)"
BROKEN = "raise SystemExit(3)"


@pytest.fixture
def scripts(settled_dir: Path) -> Path:
    """The programs, as files beside each other."""
    folder = settled_dir.with_name("scripts")
    folder.mkdir()
    for name, text in {
        "supervise": SUPERVISE,
        "serve": SERVE,
        "worker": WORKER,
        "welcome": WELCOME,
        "broken": BROKEN,
    }.items():
        (folder / f"{name}.py").write_text(text)
    return folder


@pytest.fixture
def port() -> int:
    """A port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


def command(scripts: Path, port: int, *programs: str) -> list[str]:
    return [sys.executable, str(scripts / "supervise.py"), str(scripts.parent / "data"), str(port), *programs]


@contextmanager
def up(scripts: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A supervisor that has reported readiness; stopped at the end if it still runs."""
    arguments = command(scripts, port, "serve", "worker")
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as supervisor:
        try:
            assert supervisor.stdout is not None
            said = iter(supervisor.stdout)
            assert any(f"Muster runs at http://127.0.0.1:{port}" in line for line in said), "it stopped before"
            yield supervisor
        finally:
            supervisor.terminate()
            supervisor.communicate(timeout=PATIENCE)


def parts(supervisor: subprocess.Popen[str]) -> dict[str, psutil.Process]:
    """The direct children of a supervisor that live: `serve`, `worker` and `postgres`."""
    found = {}
    for child in psutil.Process(supervisor.pid).children():
        with suppress(psutil.NoSuchProcess, ValueError):  # a process that ends shows no command line
            program, script = child.cmdline()[:2]
            found["postgres" if Path(program).name == "postgres" else Path(script).stem] = child
    return found


def lives(process: psutil.Process) -> bool:
    """Whether it runs; a zombie that nobody has collected does not."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_it_starts_and_stops_whole(scripts: Path, port: int) -> None:
    with up(scripts, port) as supervisor:
        running = parts(supervisor)
        # Whoever says what to try is gone a moment after they have said it.
        assert set(running) - {"welcome"} == {"serve", "worker", "postgres"}
        assert answers(port)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(PATIENCE) == 0
        assert not any(lives(process) for process in running.values())


def test_what_to_try_is_said_once_when_it_is_ready(scripts: Path, port: int) -> None:
    with up(scripts, port) as supervisor:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == "What to try\n"
        victim = parts(supervisor)["serve"]
        victim.kill()
        eventually(lambda: answers(port) and "welcome" not in parts(supervisor))
        supervisor.terminate()
        assert "What to try" not in supervisor.stdout.read()


def test_a_second_one_says_where_the_first_runs(scripts: Path, port: int) -> None:
    with up(scripts, port) as supervisor:
        second = subprocess.run(command(scripts, port, "serve"), capture_output=True, text=True, check=True)
        assert f"already runs at http://127.0.0.1:{port} (process {supervisor.pid})" in second.stdout
        assert answers(port)


@pytest.mark.parametrize("part", ["serve", "worker", "postgres"])
def test_what_is_killed_comes_back(scripts: Path, port: int, part: str) -> None:
    with up(scripts, port) as supervisor:
        victim = parts(supervisor)[part]
        victim.kill()
        eventually(lambda: parts(supervisor).get(part, victim) != victim)
        eventually(lambda: answers(port))


def test_after_a_killed_supervisor_the_next_one_takes_over(scripts: Path, port: int) -> None:
    with up(scripts, port) as supervisor:
        running = parts(supervisor)
        supervisor.kill()
        supervisor.wait(PATIENCE)
        eventually(lambda: not lives(running["serve"]) and not lives(running["worker"]))
        assert lives(running["postgres"])
    with up(scripts, port):
        assert answers(port)
        assert not lives(running["postgres"])


def test_a_taken_port_is_named(scripts: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]
        refused = subprocess.run(command(scripts, taken, "serve"), capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert f"cannot listen on 127.0.0.1, port {taken}" in refused.stderr


def test_a_program_that_never_starts_stops_everything(scripts: Path, port: int) -> None:
    failed = subprocess.run(command(scripts, port, "broken"), capture_output=True, text=True, check=False)
    assert failed.returncode != 0
    assert "broken does not start" in failed.stderr
    assert "exit code 3" in failed.stdout
    assert not (scripts.parent / "data/pg18/postmaster.pid").exists()

"""The servers that are compared: Muster and the peer, each as real processes on free ports."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.data import Say
from muster.kit.db.migrate import Urls
from muster.kit.processes import CannotRun, die_with_parent

MUSTER, PEER_NAME = "Muster", "Fastify + Mercurius"
PEER = Path(__file__).parent / "peers" / "node"
POOL = 32
"""Connections to the database of each process, on either side."""
SECRET = "the benchmarks keep no secrets, and this is one of them"  # noqa: S105 - of a database that is thrown away
"""What every process of ours signs tokens with."""
_STARTING_SECONDS = 60.0


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    user_id: UUID
    session_id: UUID


def _nobody(_person: Person) -> str:
    raise LookupError("nobody signs tokens for this fleet")


@dataclass(frozen=True)
class Fleet:
    """The processes of one contestant; each listens on its own port.

    sign: makes the token that a person sends to this contestant. callers: who asks, in what takes no more people.
    """

    name: str
    processes: tuple[psutil.Process, ...]
    ports: tuple[int, ...]
    sign: Callable[[Person], str] = _nobody
    callers: tuple[Person, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """What each caller sends to this contestant."""
        return tuple(self.sign(each) for each in self.callers)


def settings_of_muster(urls: Urls) -> dict[str, str]:
    """What processes of ours run with: everything on but rate limits."""
    return {
        "MUSTER_ENV": "development",
        "JWT_SECRET": SECRET,
        "DATABASE_URL": urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "DATABASE_WORKER_URL": urls.worker,
        "DATABASE_POOL_SIZE": str(POOL),
        "MUSTER_RATE_LIMITS": "off",
        "PYTHONPATH": "",
    }


@contextmanager
def muster(urls: Urls, environ: Mapping[str, str] | None = None, *, count: int, folder: Path) -> Iterator[Fleet]:
    """`count` API processes as `muster serve` starts them."""
    command = [sys.executable, "-m", "muster.cli", "serve"]
    given = {**settings_of_muster(urls), **(environ or {})}
    with _fleet(MUSTER, command, given, count=count, folder=folder) as fleet:
        yield fleet


@contextmanager
def worker(urls: Urls, folder: Path) -> Iterator[psutil.Process]:
    """The worker as `muster worker` starts it."""
    with running([sys.executable, "-m", "muster.cli", "worker"], settings_of_muster(urls), folder) as process:
        yield psutil.Process(process.pid)


@contextmanager
def peer(
    node: Path,
    url: str,
    tenant: str,
    key: Ed25519PrivateKey,
    environ: Mapping[str, str],
    *,
    count: int,
    folder: Path,
) -> Iterator[Fleet]:
    """`count` processes of Fastify and Mercurius.

    url: of a role that row security does not bind. key: signs its tokens.
    """
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    given = {
        "NODE_ENV": "production",
        "PEER_DATABASE": url,
        "PEER_TENANT": tenant,
        "PEER_KEY": public.decode(),
        "PEER_POOL": str(POOL),
    }
    command = [str(node), str(folder / "peer" / "server.mjs")]
    with _fleet(PEER_NAME, command, {**given, **environ}, count=count, folder=folder) as fleet:
        yield fleet


def install_peer(folder: Path, say: Say) -> Path:
    """Fetch the peer's packages, once for each version of its package.json; answers with the Node.js to run it with.

    Raises CannotRun when npm is missing or cannot install them.
    """
    home = folder / "peer"
    node = home / "node_modules" / "node" / "bin" / "node"
    wanted = (PEER / "package.json").read_text()
    stamp = home / "installed.json"
    if not (node.exists() and stamp.exists() and stamp.read_text() == wanted):
        _install(home, node, say)
        stamp.write_text(wanted)
    for source in PEER.glob("*.mjs"):
        shutil.copy(source, home)
    return node


def _install(home: Path, node: Path, say: Say) -> None:
    if shutil.which("npm") is None:
        raise CannotRun("The peer needs npm to fetch its packages; `--no-peer` measures Muster alone.")
    say("packages of the peer")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    shutil.copy(PEER / "package.json", home)
    done = subprocess.run(
        ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund"],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0 or not node.exists():
        raise CannotRun(f"npm could not install the peer: {done.stderr.strip()[-500:]}")


def node_version(node: Path) -> str:
    """The version of the Node.js that runs the peer, and of what it runs."""
    ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
    packages = json.loads((PEER / "package.json").read_text())["dependencies"]
    return f"{ran.stdout.strip()} (Fastify {packages['fastify']}, Mercurius {packages['mercurius']})"


@contextmanager
def _fleet(
    name: str, command: Sequence[str], environ: Mapping[str, str], *, count: int, folder: Path
) -> Iterator[Fleet]:
    with ExitStack() as stack:
        ports = tuple(free_port() for _ in range(count))
        processes = [stack.enter_context(running(command, {**environ, "PORT": str(port)}, folder)) for port in ports]
        for process, port in zip(processes, ports, strict=True):
            _await_ready(process, port, folder)
        yield Fleet(name, tuple(psutil.Process(each.pid) for each in processes), ports)


@contextmanager
def running(command: Sequence[str], environ: Mapping[str, str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One process meanwhile, which writes to the log in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "MUSTER_"))}
    with (folder / "servers.log").open("ab") as log:
        process = subprocess.Popen(
            command,
            env={**kept, **environ},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - started before any thread
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_ready(process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    give_up = time.monotonic() + _STARTING_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        try:
            httpx.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise CannotRun(f"A server did not start; the end of {folder / 'servers.log'} says why.")


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number

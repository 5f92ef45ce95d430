"""A Redis of its own for the peers that need one, on a free port, with nothing kept afterwards."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.servers import free_port, running
from muster.kit.processes import CannotRun
from muster.kit.store.embedded import server_program

FAST = ("--appendonly", "no", "--save", "")
"""Nothing is kept: what is only passed on is lost with the server."""
EVERY_SECOND = ("--appendonly", "yes", "--appendfsync", "everysec", "--save", "")
"""What the makers of BullMQ advise: a crash of the machine loses what was acknowledged in the last second."""
ALWAYS = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
"""What was acknowledged is on disk, as with PostgreSQL."""
_STARTING_SECONDS = 10.0


@dataclass(frozen=True)
class Redis:
    """A server that runs."""

    url: str
    process: psutil.Process


@contextmanager
def redis(folder: Path, options: Sequence[str]) -> Iterator[Redis]:
    """A server meanwhile. folder: for its log. Raises CannotRun when there is none to be had."""
    port = free_port()
    with TemporaryDirectory(dir=folder) as kept:
        command = [server_program(), "--port", str(port), "--bind", "127.0.0.1", "--dir", kept, *options]
        with running(command, {}, folder) as process:
            _await_answer(port)
            yield Redis(f"redis://127.0.0.1:{port}", psutil.Process(process.pid))


def _await_answer(port: int) -> None:
    give_up = time.monotonic() + _STARTING_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up:
                raise CannotRun("Redis did not start.") from None
            time.sleep(0.02)
        else:
            return

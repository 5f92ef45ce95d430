"""Hashers: the processes that hash for this one, a few at once, for whom a line of bounded length waits."""

import asyncio
import atexit
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import msgspec
import structlog

from muster.identity.hashing import Work
from muster.kit.errors import Unavailable

log = structlog.get_logger()

PROCESSES = max(1, min(2, (os.cpu_count() or 1) - 1))
"""A core stays free of them, so that a flood of sign-ins holds up nobody else. More would only take memory."""
_MOST_WAITING = 64 * PROCESSES
"""About two seconds of hashing; who came later would have given up by the time it is their turn."""
_ATTEMPTS = 2


class TooManyHashes(Unavailable):
    """So many sign in or register at this moment that it would take too long; try again in a moment."""


class Hashers:
    """The hashers of one process. Each is started when it is first needed, and anew when it has died."""

    def __init__(self) -> None:
        # A thread for each waits for its answers. It does nothing else, so it holds up nobody at the interpreter's lock.
        self._threads = ThreadPoolExecutor(PROCESSES, thread_name_prefix="password")
        self._here = threading.local()
        self._started = ExitStack()
        self._asked = 0
        atexit.register(self._started.close)

    async def ask(self, work: Work) -> str | bool:
        """What came of it. Raises TooManyHashes."""
        if self._asked >= _MOST_WAITING:
            raise TooManyHashes
        self._asked += 1
        try:
            line = await asyncio.get_running_loop().run_in_executor(self._threads, self._line, work)
        finally:
            self._asked -= 1
        return msgspec.json.decode(line, type=str | bool)

    def _line(self, work: Work) -> bytes:
        """The answer of this thread's process. It dies where the machine is short of memory: then another one tries."""
        for _ in range(_ATTEMPTS):
            process = self._process()
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                process.stdin.write(msgspec.json.encode(work) + b"\n")
                process.stdin.flush()
                if line := process.stdout.readline():
                    return line
            except BrokenPipeError:
                pass
            del self._here.process
            with suppress(BrokenPipeError), process:
                log.warning("hasher.died", status=process.wait())
        raise RuntimeError("the processes that hash passwords die of it; is there memory for them?")

    def _process(self) -> "subprocess.Popen[bytes]":
        process: subprocess.Popen[bytes] | None = getattr(self._here, "process", None)
        if process is None:
            # It ends with its input, also when this process is killed.
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "muster.identity.hashing"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            self._here.process = self._started.enter_context(process)
        return process


HASHERS = Hashers()
"""Of this process."""

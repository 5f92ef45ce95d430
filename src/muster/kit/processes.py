"""Processes: how one gives up in front of a person, how a child says that it serves, how it learns that its parent is
gone, where its sockets find room, and how it starts quickly and keeps its pauses short.
"""

import ctypes
import gc
import hashlib
import os
import resource
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h

# sockaddr_un.sun_path: 108 bytes on Linux, 104 on macOS and the BSDs, each with a closing NUL.
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103


class CannotRun(Exception):
    """The program cannot go on. The message is for its operator: what is wrong, and what to do about it."""


def say_ready() -> None:
    """Tell whoever started this process, where they asked to be told, that it serves: a byte through `READY_FD`."""
    number = os.environ.pop("READY_FD", "")
    if number:
        os.write(int(number), b"1")
        os.close(int(number))


def die_with_parent(signal_number: int) -> Callable[[], None] | None:
    """A `preexec_fn` that makes a child receive a signal when the thread that started it is gone.

    It is how children of a killed supervisor learn of its end. Only Linux has it; elsewhere there is none.

    Args:
        signal_number: what the child gets.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def before_exec() -> None:
        prctl(PR_SET_PDEATHSIG, signal_number)
        # The parent may have gone between fork and prctl, and then no signal would ever come.
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def short_folder(folder: Path, name: str) -> Path:
    """The folder, or one with a short path in its place where a socket of this name in it would have too long a path.

    Whoever makes the short one checks whose it is: anybody may have made it before.
    """
    if len(os.fsencode(folder / name)) <= LONGEST_SOCKET_PATH:
        return folder
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"muster-{short}"  # noqa: S108 - see above


def allow_open_files() -> int:
    """Let this process have as many files open as the system lets it, sockets among them; answers with how many.

    Systems begin with a soft limit of 1,024, which any process may raise up to its hard one.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where the hard limit is none, macOS knows a bound of its own and refuses.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


_USUAL = gc.get_threshold()
_RARE = (100_000, *_USUAL[1:])


def begin() -> None:
    """Say that this process has yet to import what it needs, so that it looks for garbage less often until it settles.

    Almost all that is made meanwhile stays; to look for what does not took a fifth of the time that an API needs to start.
    """
    gc.set_threshold(*_RARE)


def settle() -> None:
    """Say that what this process has made so far stays, so that the collector of garbage walks it no more.

    Modules, the schema and the declarations are 130,000 objects. To walk them takes 0.1 to 0.2 s in which nothing else
    runs, and it was due about once a second under load. Belongs where a process begins to serve.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_USUAL)

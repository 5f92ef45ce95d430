"""Processes: how one gives up in front of a person, how a child says that it serves, and how it learns that its
parent is gone.
"""

import ctypes
import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


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

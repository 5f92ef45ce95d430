"""Meters: CPU and memory of exact processes, from what the kernel counts."""

from collections.abc import Sequence
from contextlib import suppress

import psutil


def cpu_of(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds these processes have spent in all their threads."""
    return sum(times.user + times.system for times in (each.cpu_times() for each in processes))


def cpu_of_postgres(postmaster: psutil.Process) -> float:
    """CPU seconds that a PostgreSQL has spent: the postmaster, its children, and those that have ended."""
    times = postmaster.cpu_times()
    spent = times.user + times.system + times.children_user + times.children_system
    for child in postmaster.children():
        with suppress(psutil.NoSuchProcess):
            own = child.cpu_times()
            spent += own.user + own.system
    return spent


def memory_of(process: psutil.Process) -> float:
    """Resident memory in MB."""
    return process.memory_info().rss / 1e6

"""Identifiers: UUID version 7 (RFC 9562), whose order is the order of their making within a process."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7: 48 bits of milliseconds, 12 of a counter within them, 62 random."""
    global _last  # noqa: PLW0603 - one counter for the process is the point
    with _lock:
        # Milliseconds times 4096: a burst within one millisecond counts up, and a clock set back does not go back.
        _last = max(_last + 1, time.time_ns() * 4096 // 1_000_000)
        stamp = _last
    value = (stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | int.from_bytes(os.urandom(8)) >> 2)

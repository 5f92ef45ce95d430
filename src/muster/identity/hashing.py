"""The program that hashes: work comes in as lines of JSON, what came of it goes out likewise.

It is a process of its own, which imports next to nothing, so that it can give way to everybody (docs/decisions/0031).
"""

import os
import signal
import sys

import msgspec
from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB of memory, two iterations, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
"""How hashes are made now."""
NICENESS = 10
"""The weight of a process at 10 is a tenth of the usual one: https://man7.org/linux/man-pages/man7/sched.7.html"""


class Work(msgspec.Struct, frozen=True):
    """A password to hash, or to compare with a stored hash.

    stored: None is a hash that nobody has, which takes as long.
    """

    password: str
    compares: bool = False
    stored: str | None = None


def done(work: Work, decoy: str) -> str | bool:
    """The hash, or whether it is that of the password. decoy: stands in for one that nobody has."""
    if not work.compares:
        return HASHER.hash(work.password)
    try:
        HASHER.verify(work.stored or decoy, work.password)
    except VerificationError:
        return False
    return work.stored is not None


def main() -> None:
    """Hash until whoever asks has gone."""
    # Who stops the server at a terminal stops it alone; it ends what it started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(NICENESS)
    decoy = HASHER.hash("nobody has this password")
    for line in sys.stdin.buffer:
        answer = done(msgspec.json.decode(line, type=Work), decoy)
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()

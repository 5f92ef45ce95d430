"""Passwords: hashed off the event loop with Argon2id by the OWASP parameters, and refused when anybody would try them."""

import asyncio
import os
import string
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB of memory, two iterations, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


def _give_way() -> None:
    """Let this thread have only what nobody else wants of a core, so that a flood of sign-ins holds up nothing else."""
    # Only Linux gives each thread a priority of its own.
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


# The weight of a thread at 10 is a tenth of the usual one: https://man7.org/linux/man-pages/man7/sched.7.html
_NICENESS = 10
# One thread a core: more would only take memory and time from requests that hash nothing.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password", initializer=_give_way)
# The hash of no password anybody has: an unknown mail must take as long as a wrong password.
_DECOY = _HASHER.hash("nobody has this password")


async def hash_password(password: str) -> str:
    """The hash to store."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def password_matches(stored: str | None, password: str) -> bool:
    """Whether the password is right; as slow, and False, when there is no stored hash."""

    def verify() -> bool:
        try:
            _HASHER.verify(stored or _DECOY, password)
        except VerificationError:
            return False
        return stored is not None

    return await asyncio.get_running_loop().run_in_executor(_THREADS, verify)


async def rehashed(stored: str, password: str) -> str | None:
    """The hash to store instead, of a password that is right; None where the stored one is as we make them now."""
    return await hash_password(password) if _HASHER.check_needs_rehash(stored) else None


# Fewer than this many different characters is a run of them.
_FEWEST_DIFFERENT = 5
_DECORATION = string.digits + string.punctuation + string.whitespace


def is_easily_guessed(password: str) -> bool:
    """Whether a password is among the first that anybody would try.

    That is: few different characters, or one of the 30,000 most used, also with digits and signs around it, or nothing
    but those.
    """
    lower = password.lower()
    return len(set(lower)) < _FEWEST_DIFFERENT or bool({lower, lower.strip(_DECORATION)} & _most_used())


@cache
def _most_used() -> frozenset[str]:
    """The 30,000 most used passwords, as zxcvbn has them. Only the list of it: what it computes takes seconds on some."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"]) | {""}

"""Hashing passwords off the event loop: Argon2id with the OWASP parameters."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB of memory, two iterations, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
# One thread a core: more would only take memory and time from requests that hash nothing.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")
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

"""Passwords: hashed by processes that give way to all else, and refused when anybody would try them."""

import string
from functools import cache

from muster.identity.hashers import HASHERS
from muster.identity.hashing import HASHER, Work


async def hash_password(password: str) -> str:
    """The hash to store. Raises TooManyHashes."""
    return str(await HASHERS.ask(Work(password)))


async def password_matches(stored: str | None, password: str) -> bool:
    """Whether the password is right; as slow, and False, when there is no stored hash. Raises TooManyHashes."""
    return await HASHERS.ask(Work(password, compares=True, stored=stored)) is True


async def rehashed(stored: str, password: str) -> str | None:
    """The hash to store instead, of a password that is right; None where the stored one is as we make them now."""
    return await hash_password(password) if HASHER.check_needs_rehash(stored) else None


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

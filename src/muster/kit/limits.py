"""Rate limits and plan features by name. Declarations may only name what is declared; nothing is enforced yet."""

from typing import NewType

Limit = NewType("Limit", str)
"""A bucket that endpoints draw from; slices declare their own beside those here."""

LIMITS: set[Limit] = set()
"""Every declared limit."""


def limit(name: str) -> Limit:
    """Declare a limit. Raises TypeError for a second one of the same name."""
    declared = Limit(name)
    if declared in LIMITS:
        raise TypeError(f"the limit {name} is declared twice; use the first")
    LIMITS.add(declared)
    return declared


AUTH = limit("auth")
API = limit("api")
READ = limit("read")

FEATURES: frozenset[str] = frozenset()
"""The features that a plan may hold back. None is held back yet."""

"""Rate limits and plan features by name: how often, in how long, and who counts as one. `limiter.py` enforces them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType

Limit = NewType("Limit", str)
"""A bucket that endpoints draw from; slices declare their own beside those here."""


@dataclass(frozen=True)
class Rule:
    """At most so many (`most`) in any stretch of so many seconds."""

    most: int
    seconds: int


Rules = Mapping[Limit, tuple[Rule, ...]]

LIMITS: dict[Limit, tuple[Rule, ...]] = {}
"""Every declared limit with its rules, all of which hold."""


def limit(name: str, *rules: Rule) -> Limit:
    """Declare a limit. Raises TypeError for a second one of the same name, or one without a rule."""
    declared = Limit(name)
    if declared in LIMITS:
        raise TypeError(f"the limit {name} is declared twice; use the first")
    if not rules:
        raise TypeError(f"the limit {name} allows everything; give it a rule")
    LIMITS[declared] = rules
    return declared


GLOBAL = limit("global", Rule(100, 60))
"""Every request and socket of one address, in production."""
GLOBAL_DEVELOPMENT = limit("global.development", Rule(1000, 60))
"""The same elsewhere."""
AUTH = limit("auth", Rule(10, 900))
API = limit("api", Rule(100, 60))
READ = limit("read", Rule(300, 60))


FEATURES: frozenset[str] = frozenset()
"""The features that a plan may hold back. None is held back yet."""

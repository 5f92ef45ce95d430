"""Rate limits and plan features by name: how often, in how long, and who counts as one. `limiter.py` enforces them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Rule:
    """At most so many (`most`) in any stretch of so many seconds."""

    most: int
    seconds: int

    def __str__(self) -> str:
        return f"{self.most}/{self.seconds}"


By = Literal["address", "caller"]
OutOfOrder = Literal["open", "closed"]


@dataclass(frozen=True, eq=False)
class Limit:
    """A bucket that endpoints draw from.

    rules: all of them hold. by: who counts as one: an address, or a caller, who is the signed-in person wherever they
    are and an address otherwise. without_store: what happens while the store that processes share does not answer:
    `open`, each process goes on counting for itself; `closed`, nobody is let in.
    meaning: what it is for, in one line.
    """

    name: str
    rules: tuple[Rule, ...]
    meaning: str
    by: By
    without_store: OutOfOrder

    def __str__(self) -> str:
        return self.name


Rules = Mapping[Limit, tuple[Rule, ...]]

LIMITS: dict[str, Limit] = {}
"""Every declared limit by its name; slices declare their own beside those here."""


def limit(name: str, *rules: Rule, meaning: str, by: By = "caller", without_store: OutOfOrder = "open") -> Limit:
    """Declare a limit. Raises TypeError for a second one of the same name, or one without a rule."""
    if name in LIMITS:
        raise TypeError(f"the limit {name} is declared twice; use the first")
    if not rules:
        raise TypeError(f"the limit {name} allows everything; give it a rule")
    LIMITS[name] = Limit(name, rules, meaning, by, without_store)
    return LIMITS[name]


GLOBAL = limit("global", Rule(100, 60), meaning="every request and socket, whatever it asks for", by="address")
GLOBAL_ELSEWHERE = (Rule(1000, 60),)
"""The same outside production."""
AUTH = limit(
    "auth",
    Rule(10, 900),
    meaning="what guesses a secret or sends mail: signing in, registering, passwords, links",
    by="address",
    without_store="closed",
)
API = limit("api", Rule(100, 60), meaning="changes that have no limit of their own")
READ = limit("read", Rule(300, 60), meaning="reads, and streams when they begin")


# Numbers of up to six digits, so that windows stay within days.
_CHOSEN = re.compile(r"([a-z][a-z.]*)=([1-9][0-9]{0,5}/[1-9][0-9]{0,5}(?:,[1-9][0-9]{0,5}/[1-9][0-9]{0,5})*)")


def read_rules(text: str) -> dict[str, tuple[Rule, ...]]:
    """An operator's own rules by the names of limits, such as `read=600/60 chat.event.send=30/30,5/5`.

    Raises ValueError for what is not of that form. Whether there are such limits is known later.
    """
    found: dict[str, tuple[Rule, ...]] = {}
    for each in text.split():
        matched = _CHOSEN.fullmatch(each)
        rules = [] if matched is None else [Rule(*map(int, rule.split("/"))) for rule in matched[2].split(",")]
        if matched is None or len({rule.seconds for rule in rules}) < len(rules) or matched[1] in found:
            raise ValueError(
                f"holds {each!r}: write each limit once, as how many in how many seconds, such as read=600/60, or "
                "chat.event.send=30/30,5/5 for two rules that both hold"
            )
        found[matched[1]] = tuple(rules)
    return found


def rules_in_force(chosen: Mapping[str, tuple[Rule, ...]], *, is_production: bool) -> Rules:
    """The rules of every limit. chosen: an operator's own, by the names of limits.

    Raises ValueError for a name that no limit has.
    """
    if unknown := chosen.keys() - LIMITS.keys():
        raise ValueError(f"there is no limit {min(unknown)}; there are {', '.join(sorted(LIMITS))}")
    usual = {each: each.rules for each in LIMITS.values()}
    if not is_production:
        usual[GLOBAL] = GLOBAL_ELSEWHERE
    return usual | {LIMITS[name]: rules for name, rules in chosen.items()}


FEATURES: frozenset[str] = frozenset()
"""The features that a plan may hold back. None is held back yet."""

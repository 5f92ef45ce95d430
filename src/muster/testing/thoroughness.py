"""How much is tried of what could be tried without end: random documents, random requests, every caller of everything."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar

THOROUGH = os.environ.get("MUSTER_THOROUGH") == "on"
TURN = int(os.environ.get("MUSTER_TURN") or datetime.now(UTC).toordinal())
"""Whose turn it is where cases take turns: another one every day. The head of a run tells it; `MUSTER_TURN` repeats it."""

T = TypeVar("T")


def as_much_as(usually: int, thoroughly: int) -> int:
    """The one number for every run, the other before a release: `MUSTER_THOROUGH=on make test`."""
    return thoroughly if THOROUGH else usually


def in_turn(cases: Sequence[T], number: int, most: int) -> list[T]:
    """Some of what would take too long together, in their order; before a release all of it.

    Neighbouring numbers get neighbouring cases, and each gets others on the next day, so that none waits for long.
    number: whose share this is. most: how many it has.
    """
    if THOROUGH or most >= len(cases):
        return list(cases)
    first = (TURN + number) * most
    chosen = {(first + each) % len(cases) for each in range(most)}
    return [case for place, case in enumerate(cases) if place in chosen]

"""Remembering what a function answered."""

from collections.abc import Callable
from functools import cache
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def remembered(function: Callable[[K], V]) -> Callable[[K], V]:
    """`functools.cache` for a function of one class, which its own type does not take for hashable."""
    return cache(function)

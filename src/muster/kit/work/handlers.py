"""Handlers: what follows a fact, each as a job of its own, in a transaction of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.work.errands import Outside
from muster.kit.work.terms import PLAIN, Priority, Terms

F = TypeVar("F", bound=Fact)
Handler = Callable[[Ctx, F], Awaitable[None]]
"""Reads the present state and acts. It may run twice, and in any order with others: the fact's id is its key."""


@dataclass(frozen=True)
class Follower:
    """A handler under the name its jobs carry.

    name: `<module without "muster.">.<function>`; jobs that wait know only this, so a handler that moves leaves
    jobs behind. outside: it is given an errand, not a transaction. terms: how its jobs stand in the queue.
    """

    name: str
    function: Callable[[Any, Any], Awaitable[None]]
    outside: bool = False
    terms: Terms = PLAIN


@dataclass(frozen=True)
class Inside(Generic[F]):
    """A handler in a transaction, on terms of its own."""

    function: Handler[F]
    terms: Terms


def inside(
    function: Handler[F],
    *,
    at_once: int = 0,
    tenant_at_once: int = 0,
    priority: Priority = Priority.NORMAL,
    gathers: bool = False,
) -> Inside[F]:
    """Give a handler terms, where the table of handlers names it. The arguments are those of `Terms`."""
    return Inside(function, Terms(at_once, tenant_at_once, priority, gathers))


HANDLERS: dict[type[Fact], tuple[Follower, ...]] = {}
"""What follows each fact, in the order of the table."""


def on(fact: type[F], *handlers: Handler[F] | Inside[F] | Outside[F]) -> None:
    """Let handlers follow a fact. They stand in one table, `muster/handlers.py`.

    Raises TypeError for two handlers of one name: their jobs could not be told apart.
    """
    names = followers()
    for handler in handlers:
        follower = _follower(handler)
        if names.setdefault(follower.name, follower) != follower or follower in HANDLERS.get(fact, ()):
            raise TypeError(f"{follower.name} is registered twice; give one of the two functions another name")
        HANDLERS[fact] = (*HANDLERS.get(fact, ()), follower)


def followers() -> dict[str, Follower]:
    """Every registered handler by its name."""
    return {follower.name: follower for table in HANDLERS.values() for follower in table}


def _follower(handler: Handler[F] | Inside[F] | Outside[F]) -> Follower:
    if isinstance(handler, Outside):
        return Follower(_name_of(handler.function), handler.function, outside=True, terms=handler.terms)
    if isinstance(handler, Inside):
        return Follower(_name_of(handler.function), handler.function, terms=handler.terms)
    return Follower(_name_of(handler), handler)


def _name_of(function: Callable[..., Awaitable[None]]) -> str:
    module: str = function.__module__
    name: str = getattr(function, "__name__", type(function).__name__)
    return f"{module.removeprefix('muster.')}.{name}"

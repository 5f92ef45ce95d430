"""Handlers: what follows a fact, each as a job of its own, in a transaction of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from muster.kit.commands.context import Ctx
from muster.kit.commands.facts import Fact
from muster.kit.work.errands import Outside

F = TypeVar("F", bound=Fact)
Handler = Callable[[Ctx, F], Awaitable[None]]
"""Reads the present state and acts. It may run twice, and in any order with others: the fact's id is its key."""


@dataclass(frozen=True)
class Follower:
    """A handler under the name its jobs carry.

    name: `<module without "muster.">.<function>`; jobs that wait know only this, so a handler that moves leaves
    jobs behind. outside: it is given an errand, not a transaction. at_once: how many run; 0 is as many as there are.
    """

    name: str
    function: Callable[[Any, Any], Awaitable[None]]
    outside: bool = False
    at_once: int = 0


HANDLERS: dict[type[Fact], tuple[Follower, ...]] = {}
"""What follows each fact, in the order of the table."""


def on(fact: type[F], *handlers: Handler[F] | Outside[F]) -> None:
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


def _follower(handler: Handler[F] | Outside[F]) -> Follower:
    if isinstance(handler, Outside):
        return Follower(_name_of(handler.function), handler.function, outside=True, at_once=handler.at_once)
    return Follower(_name_of(handler), handler)


def _name_of(function: Callable[..., Awaitable[None]]) -> str:
    module: str = function.__module__
    name: str = getattr(function, "__name__", type(function).__name__)
    return f"{module.removeprefix('muster.')}.{name}"

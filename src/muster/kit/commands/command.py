"""Commands: the verbs that change state, each declared once with its ways in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, get_type_hints

from muster.kit.arguments import Arguments
from muster.kit.caller import Allow, Permission
from muster.kit.limits import check_slots
from muster.kit.route import Route

P = ParamSpec("P")
R = TypeVar("R")

_NOT_ARGUMENTS = frozenset({"ctx", "prepared"})


@dataclass(frozen=True)
class Command:
    """A declared command.

    function: runs in one transaction. route: its REST address. name: its GraphQL mutation.
    prepare: slow or outside work that runs before the transaction; its result arrives as `prepared`.
    """

    function: Callable[..., Awaitable[Any]]
    route: Route
    name: str
    allow: Allow
    permission: Permission | None
    feature: str | None
    limit: str
    prepare: Callable[..., Awaitable[Any]] | None
    deprecated: str | None
    arguments: Arguments
    returns: Any

    @property
    def summary(self) -> str:
        """The first line of the docstring, for the documents made from this."""
        return (self.function.__doc__ or "").strip().split("\n", 1)[0]


COMMANDS: dict[str, Command] = {}
"""Every declared command by its GraphQL name."""


def command(
    route: str,
    name: str,
    *,
    allow: Allow,
    limit: str,
    permission: Permission | None = None,
    feature: str | None = None,
    prepare: Callable[..., Awaitable[Any]] | None = None,
    deprecated: str | None = None,
) -> Callable[[Callable[P, Awaitable[R]]], Callable[P, Awaitable[R]]]:
    """Declare a command and its ways in; the function itself stays callable by other commands.

    route: method and path, `POST /events/{event_id}/members`. name: the GraphQL mutation. allow: who may come in.
    limit: the bucket it draws from. permission: what the caller's role must give. feature: what the plan must hold.
    Raises TypeError, at import, for a declaration that is not whole.
    """
    check_slots(name, limit=limit, feature=feature, deprecated=deprecated)

    def declare(function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        if name in COMMANDS:
            raise TypeError(f"two commands are named {name}")
        if not function.__doc__:
            raise TypeError(f"{name} has no docstring; its first line documents the endpoint")
        COMMANDS[name] = Command(
            function=function,
            route=Route.parse(route),
            name=name,
            allow=allow,
            permission=permission,
            feature=feature,
            limit=limit,
            prepare=prepare,
            deprecated=deprecated,
            arguments=Arguments(function, without=_NOT_ARGUMENTS),
            returns=get_type_hints(function).get("return"),
        )
        return function

    return declare

"""Signals: what people tell who follows a topic at this moment, such as that they type. It is kept nowhere.

A subscription to them is declared as one to facts is, and asked for the same rights; the verb that tells one by `signal`.
Neither writes anything, and who is following a topic may tell without a statement. Whoever is away misses what was told.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, ParamSpec, Self, TypeVar, get_type_hints
from uuid import UUID

import msgspec

from muster.kit.arguments import Arguments
from muster.kit.caller import Allow, Origin, Permission
from muster.kit.commands.command import COMMANDS, Command
from muster.kit.commands.context import Services
from muster.kit.commands.facts import Fact
from muster.kit.declaration import enter
from muster.kit.deprecation import Deprecation
from muster.kit.documentation import read_documentation
from muster.kit.errors import Unavailable
from muster.kit.limits import READ, Limit
from muster.kit.realtime.stream import StreamRequest
from muster.kit.realtime.subscription import SUBSCRIPTIONS, FactSubscription, Subscription
from muster.kit.route import Route
from muster.kit.text import camel
from muster.kit.views.results import Payload
from muster.kit.views.view import Predicate, View

P = ParamSpec("P")
R = TypeVar("R")
SignalT = TypeVar("SignalT", bound="Signal")


class Signal(Payload):
    """Something that a person tells. user_id: who; their own streams are not told.

    seconds: how long it holds; then who heard it is told what it lapses to.
    """

    seconds: ClassVar[float] = 3.0
    user_id: UUID

    def lapsed(self) -> Self | None:
        """What it lapses to when it is not told again; None for what does not lapse."""
        return None


class Presence(Payload):
    """Who follows the topic now.

    count: how many persons. arrived: who came since the element before; in the first, everybody who is there. left: who
    went since then. At most 1,000 are named in each.
    """

    count: int
    arrived: list[UUID]
    left: list[UUID]


@dataclass(frozen=True, kw_only=True)
class SignalSubscription(Subscription):
    """A declared subscription to signals, or to who else follows it. Its elements are what is told, without a cursor."""

    tells: type[Signal] | type[Presence]


def shown(subscription: Subscription) -> type[View] | type[Payload]:
    """What an element of a subscription shows, without its cursor."""
    if isinstance(subscription, SignalSubscription):
        return subscription.tells
    if isinstance(subscription, FactSubscription):
        return subscription.view
    raise TypeError(f"{subscription.name} is neither a stream of facts nor one of signals")


def written(told: Payload, request: StreamRequest) -> bytes:
    """What was told, as the client of a stream gets it."""
    values: dict[str, Any] = {camel(name): getattr(told, name) for name in told.__struct_fields__}
    values["__typename"] = told.type_name()
    return request.written(msgspec.json.encode({pick.key: values[pick.name] for pick in request.picks}).decode())


def signals(
    name: str,
    *,
    allow: Allow,
    topic: type[View],
    until: Mapping[type[Fact], str | None],
    may: Predicate | None = None,
    permission: Permission | None = None,
    limit: Limit = READ,
    feature: str | None = None,
    deprecated: Deprecation | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a stream of signals: a function without a body whose result is what is told, a Signal or a Presence.

    Its slots are those of `subscription`. Raises TypeError, at import, for a declaration that is not whole.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        declared = SignalSubscription(
            name=name,
            tells=get_type_hints(function)["return"],
            topic=topic,
            may=may,
            until=until,
            arguments=Arguments(function),
            documentation=read_documentation(function),
            allow=allow,
            permission=permission,
            limit=limit,
            feature=feature,
            deprecated=deprecated,
        )
        enter(SUBSCRIPTIONS, declared)
        return function

    return declare


def signal(
    route: str, name: str, *, to: str, limit: Limit, deprecated: Deprecation | None = None
) -> Callable[[Callable[..., SignalT]], Callable[..., SignalT]]:
    """Declare the verb that tells a signal: a function of who tells it and the arguments, which answers with the signal.

    route, name, limit: as of a command. to: the subscription whose followers hear it. Its topic is the verb's argument
    of the same name, and who may follow it may tell.
    """

    def declare(function: Callable[..., SignalT]) -> Callable[..., SignalT]:
        subscription = SUBSCRIPTIONS[to]
        (topic,) = (each.name for each in subscription.arguments.parameters)

        async def tell(services: Services, origin: Origin, **arguments: Any) -> None:
            if services.signals is None:
                raise Unavailable("Nobody can be told anything from here.")
            await services.signals.tell(to, arguments[topic], origin, lambda user_id: function(user_id, **arguments))

        declared = Command(
            name=name,
            route=Route.parse(route),
            function=tell,
            arguments=Arguments(function, without=frozenset({"user_id"})),
            returns=type(None),
            documentation=read_documentation(function),
            prepare=None,
            together=None,
            line=None,
            answers=(204,),
            is_kept=False,
            allow=subscription.allow,
            permission=subscription.permission,
            limit=limit,
            feature=subscription.feature,
            deprecated=deprecated,
        )
        enter(COMMANDS, declared)
        return function

    return declare

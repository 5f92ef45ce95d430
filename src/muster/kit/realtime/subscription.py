"""Subscriptions: what can be followed live about one topic. Most are streams of facts, each declared once over a view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ParamSpec, TypeVar, get_type_hints

from muster.kit.arguments import Arguments
from muster.kit.caller import Allow, Permission
from muster.kit.commands.facts import Fact
from muster.kit.declaration import Declaration, enter
from muster.kit.deprecation import Deprecation
from muster.kit.documentation import read_documentation
from muster.kit.limits import READ, Limit
from muster.kit.views.view import VIEWS, Predicate, View

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, kw_only=True)
class Subscription(Declaration):
    """A declared subscription.

    topic: the view of what the stream is about, whose row the only argument names; None is the viewer themself.
    may: what the topic's row must allow the viewer, beyond being seen.
    until: the facts about the topic that may end the right to follow it; each with its field that says whose, or None
    where it may be anybody's. facts: what makes an element; none where they are told without a fact.
    """

    topic: type[View] | None
    may: Predicate | None
    until: Mapping[type[Fact], str | None]
    facts: tuple[type[Fact], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.arguments.parameters) != (0 if self.topic is None else 1):
            raise TypeError(f"{self.name}: a topic has one argument, the id of its row; a stream to oneself has none")
        if self.topic is not None and not self.until:
            raise TypeError(f"{self.name}: say by `until` which facts may end the right to follow the topic")


@dataclass(frozen=True, kw_only=True)
class FactSubscription(Subscription):
    """A declared stream of facts. Its elements are `{cursor, <gives>}`.

    view: of what an element shows. row: the facts' field with the id of that row.
    """

    view: type[View]
    gives: str
    row: str

    def __post_init__(self) -> None:
        super().__post_init__()
        if missing := [fact.__name__ for fact in self.facts if self.row not in fact.__struct_fields__]:
            raise TypeError(f"{self.name}: {', '.join(missing)} has no field {self.row}")

    @property
    def type_name(self) -> str:
        """The name of its element's type: `EventMessageAdded`."""
        return self.name[0].upper() + self.name[1:]


SUBSCRIPTIONS: dict[str, Subscription] = {}
"""Every declared subscription by its name."""


def subscription(
    name: str,
    *,
    on: tuple[type[Fact], ...],
    gives: str,
    row: str,
    allow: Allow,
    topic: type[View] | None = None,
    may: Predicate | None = None,
    until: Mapping[type[Fact], str | None] = MappingProxyType({}),
    permission: Permission | None = None,
    limit: Limit = READ,
    feature: str | None = None,
    deprecated: Deprecation | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a stream: a function without a body whose result is the view that an element shows.

    on: the facts that make an element. gives: the element's field. row: the facts' field with the shown row's id.
    topic: the view that the only argument names a row of. may: a further condition on that row. until: after which facts
    the right is asked for again, as in `Subscription`; without them who may not follow any more would wait in silence.
    Raises TypeError, at import, for a declaration that is not whole.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        declared = FactSubscription(
            name=name,
            view=get_type_hints(function, localns=dict(VIEWS))["return"],
            gives=gives,
            facts=on,
            row=row,
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

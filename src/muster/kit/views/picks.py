"""Picks: which fields of a view are wanted, under which names. GraphQL and REST both come down to these."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from muster.kit.remembered import remembered
from muster.kit.views.fields import Leaf, ToMany, ToOne, ToUnion, fields_of, is_widening
from muster.kit.views.view import View


@dataclass(frozen=True)
class Pick:
    """One wanted field.

    key: its name in the answer. name: its name in the view. slot: where its arguments stand, if it takes any.
    picks: the wanted fields of what it relates to; for a union `kinds` has them, by the name of the type.
    """

    key: str
    name: str
    slot: int | None = None
    picks: tuple["Pick", ...] = ()
    kinds: tuple[tuple[str, tuple["Pick", ...]], ...] = ()


@dataclass(frozen=True)
class SlotValues:
    """The checked arguments of one field of one request.

    values: what is bound, by name. shape: what changes the text of the statement, not only its values.
    """

    values: Mapping[str, Any]
    shape: Hashable


VERSION = "version"
"""The field of a view that counts the versions of what it shows."""


@remembered
def whole(view: type[View]) -> tuple[Pick, ...]:
    """The fixed selection of REST: every scalar field that need not be asked for, and each relation to one row in brief."""
    usual = (field for field in fields_of(view).values() if not isinstance(field, ToMany))
    return version_last(shown(field) for field in usual if not is_widening(field))


def version_last(picks: Iterable[Pick]) -> tuple[Pick, ...]:
    """The picks with that of a version at the end, where whoever has the body as text finds it."""
    return tuple(sorted(picks, key=lambda pick: pick.name == VERSION))


def shown(field: Leaf | ToOne | ToUnion) -> Pick:
    """A field as REST shows it; a row of a union says with `type` what it is."""
    if isinstance(field, Leaf):
        return Pick(field.key, field.key)
    if isinstance(field, ToOne):
        return Pick(field.key, field.key, picks=brief(field.target))
    kinds = ((name, (Pick("type", "__typename"), *brief(view))) for name, view in field.target.views.items())
    return Pick(field.key, field.key, kinds=tuple(kinds))


def brief(view: type[View]) -> tuple[Pick, ...]:
    """How REST shows a view nested in another."""
    return tuple(Pick(name, name) for name in view.brief)


def whole_page(view: type[View], slot: int) -> Pick:
    """The fixed selection of a REST list."""
    return page_of(whole(view), slot)


def page_of(row: tuple[Pick, ...], slot: int, *, counted: bool = False) -> Pick:
    """A REST list whose rows hold these fields. counted: it says how many rows there are in all, too."""
    information = tuple(Pick(name, name) for name in ("endCursor", "hasNextPage"))
    page = (Pick("items", "nodes", picks=row), Pick("pageInfo", "pageInfo", picks=information))
    return Pick("", "", slot, (*page, Pick("totalCount", "totalCount")) if counted else page)

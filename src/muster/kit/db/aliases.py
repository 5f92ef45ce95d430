"""Aliases of tables, whose columns are made as they are asked for.

SQLAlchemy makes all columns of an alias, or of a sub-select, once one is asked for: a third of what compiling a read
cost, and most of them nobody wants.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, column
from sqlalchemy.sql.selectable import NamedFromClause
from sqlalchemy.types import TypeEngine


class Columns:
    """Columns by name, as attributes and as items. Iterating gives the names of those that were asked for."""

    def __init__(
        self, types: Mapping[str, TypeEngine[Any]], make: Callable[[str, TypeEngine[Any]], ColumnElement[Any]]
    ) -> None:
        self._types, self._make = types, make
        self._asked: dict[str, ColumnElement[Any]] = {}

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        if name not in self._asked:
            self._asked[name] = self._make(name, self._types[name])
        return self._asked[name]

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        if name not in self._types:
            raise AttributeError(name)
        return self[name]

    def __contains__(self, name: str) -> bool:
        return name in self._types

    def __iter__(self) -> Iterator[str]:
        return iter(self._asked)


def alias_of(table: FromClause, name: str | None = None) -> NamedFromClause:
    """A table under another name, with `Columns` as its `c`. It is not to be cloned: a clone's columns stay those
    of the first.

    name: nothing else in the statement has it; without one SQLAlchemy makes one up.
    """
    alias = table.alias(name)
    # Here SQLAlchemy keeps its own, once it has made them.
    vars(alias)["c"] = Columns(column_types(table), lambda name, kind: column(name, kind, _selectable=alias))
    return alias


@cache
def column_types(table: FromClause) -> Mapping[str, TypeEngine[Any]]:
    """The types of a table's columns by their names."""
    return {each.key: each.type for each in table.c}

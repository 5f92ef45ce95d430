"""Fields: what a view's annotations and assignments come to, checked against its table."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from sqlalchemy import Table
from sqlalchemy.types import TypeEngine

from muster.kit.db.aliases import column_types
from muster.kit.db.tables import Json
from muster.kit.remembered import remembered
from muster.kit.text import camel
from muster.kit.views.view import VIEWS, Many, Measured, One, OneOf, OnlyIf, Page, Predicate, Sql, UnionView, View

SCALARS = (str, int, float, bool, UUID, datetime, Json, list[str])


@dataclass(frozen=True)
class Leaf:
    """A field with a scalar value; `column`, `sql` or the filter `measured` gives it, `guard` hides it from some.

    asked: only for who asks for it by name.
    """

    key: str
    type: Any
    nullable: bool
    column: str | None
    sql: Sql | None
    guard: Predicate | None
    measured: str | None = None
    asked: bool = False


@dataclass(frozen=True)
class ToOne:
    """A relation to the row of `target` that `column` points to."""

    key: str
    target: type[View]
    nullable: bool
    column: str


@dataclass(frozen=True)
class ToMany:
    """A relation to pages of `target`, whose `column` points here."""

    key: str
    target: type[View]
    column: str


@dataclass(frozen=True)
class ToUnion:
    """A relation to a row of one of the views of `target`: of the one that `kind` names, the row that `column` points to."""

    key: str
    target: type[UnionView]
    kind: str
    column: str


Field = Leaf | ToOne | ToMany | ToUnion


def is_widening(field: Field) -> bool:
    """Whether REST gives the field only where it is included."""
    return isinstance(field, ToMany) or (isinstance(field, Leaf) and field.asked)


def table_of(view: type[View]) -> Table:
    """The table that a view reads."""
    table = view.of.__table__
    if not isinstance(table, Table):
        raise TypeError(f"{view.__name__}: {view.of.__name__} is no table")
    return table


def types_of(view: type[View]) -> Mapping[str, TypeEngine[Any]]:
    """The types of the columns of a view's table."""
    return column_types(table_of(view))


def split_optional(annotation: Any) -> tuple[Any, bool]:
    """`X | None` as (X, True), anything else as (itself, False)."""
    if get_origin(annotation) in (types.UnionType, Union):
        inner = [each for each in get_args(annotation) if each is not type(None)]
        if len(inner) == 1:
            return inner[0], True
    return annotation, False


@remembered
def fields_of(view: type[View]) -> Mapping[str, Field]:
    """The fields of a view by their name on the wire, in the order of declaration.

    Raises TypeError for a field that its table or the rules of reads do not bear out.
    """
    hints = get_type_hints(view, localns=dict(VIEWS))
    own = [name for name in hints if not _is_class_attribute(name)]
    return {camel(name): _field(view, name, hints[name]) for name in own}


def _is_class_attribute(name: str) -> bool:
    return name in View.__annotations__ and name != "id"


def _field(view: type[View], name: str, annotation: Any) -> Field:
    inner, nullable = split_optional(annotation)
    declared = view.__dict__.get(name)
    if get_origin(inner) is Page:
        return _to_many(view, name, get_args(inner)[0], declared)
    if isinstance(inner, type) and issubclass(inner, View):
        return _to_one(view, name, inner, nullable, declared)
    if isinstance(inner, type) and issubclass(inner, UnionView):
        return _to_union(view, name, inner, nullable, declared)
    return _leaf(view, name, inner, nullable, declared)


def _to_many(view: type[View], name: str, target: type[View], declared: object) -> ToMany:
    if not isinstance(declared, Many) or not hasattr(target.of, declared.column):
        raise TypeError(f"{view.__name__}.{name}: a page needs `= many(column of {target.of.__name__})`")
    return ToMany(camel(name), target, declared.column)


def _to_one(view: type[View], name: str, target: type[View], nullable: bool, declared: object) -> ToOne:
    if not isinstance(declared, One) or not hasattr(view.of, declared.column):
        raise TypeError(f"{view.__name__}.{name}: a relation needs `= one(column of {view.of.__name__})`")
    if not nullable and (target.visible is not None or target.within is not None):
        raise TypeError(f"{view.__name__}.{name}: {target.__name__} may be invisible, so the relation is `| None`")
    return ToOne(camel(name), target, nullable, declared.column)


def _to_union(view: type[View], name: str, target: type[UnionView], nullable: bool, declared: object) -> ToUnion:
    place = f"{view.__name__}.{name}"
    if not isinstance(declared, OneOf) or not {declared.kind, declared.column} <= {*table_of(view).columns.keys()}:
        raise TypeError(f"{place}: a union needs `= one_of(column with the type's name, column with the id)`")
    if not nullable:
        raise TypeError(f"{place}: what it shows may be invisible or gone, so it is `| None`")
    return ToUnion(camel(name), target, declared.kind, declared.column)


def _leaf(view: type[View], name: str, kind: Any, nullable: bool, declared: object) -> Leaf:
    place = f"{view.__name__}.{name}"
    if kind not in SCALARS and not (isinstance(kind, type) and issubclass(kind, StrEnum)):
        raise TypeError(f"{place}: {kind!r} is neither a scalar nor a view")
    if isinstance(declared, Sql):
        return Leaf(camel(name), kind, nullable, None, declared, None, asked=declared.asked)
    if isinstance(declared, Measured):
        if not nullable or view.filters[declared.filter].rank is None:
            raise TypeError(f"{place}: it is null without its filter, so it is `| None`, and the filter ranks")
        return Leaf(camel(name), kind, True, None, None, None, declared.filter)
    table = table_of(view)
    column = table.columns.get(name)
    if column is None:
        raise TypeError(f"{place}: table {table.name} has no such column; use sql(...)")
    if isinstance(declared, OnlyIf):
        if not nullable:
            raise TypeError(f"{place}: only_if hides it from some, so it is `| None`")
        return Leaf(camel(name), kind, True, name, None, declared.predicate)
    if column.nullable and not nullable:
        raise TypeError(f"{place}: the column may be null, so the field is `| None`")
    return Leaf(camel(name), kind, nullable, name, None, None)

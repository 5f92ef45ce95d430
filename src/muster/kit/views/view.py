"""Views: readable shapes over tables, declared once and compiled to one statement per read.

A view's annotations are its fields. A plain one reads the column of the same name; `sql`, `only_if`, `one` and
`many` say otherwise. A class attribute `visible` says which rows a viewer may see at all.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.orm import DeclarativeBase

from muster.kit.deprecation import Deprecation
from muster.kit.views.paging import Filter, Order


@dataclass(frozen=True)
class Viewer:
    """The one who reads, as SQL: expressions, since a stream reads for many viewers in one statement.

    user_id is NULL for an anonymous viewer; compare it with `==`, never with `!=`.
    """

    user_id: ColumnElement[UUID]
    tenant_id: ColumnElement[UUID]
    now: ColumnElement[datetime]


Predicate = Callable[[Any, Viewer], ColumnElement[bool]]
"""Takes a table (or an alias of it) and the viewer; answers with a condition on its rows."""

Expression = Callable[[Any, Viewer], ColumnElement[Any]]


@dataclass(frozen=True)
class Sql:
    """A field computed by an expression. asked: only for who asks for it by name."""

    expression: Expression
    asked: bool = False


@dataclass(frozen=True)
class OnlyIf:
    """A field that is null for whoever the predicate refuses."""

    predicate: Predicate


@dataclass(frozen=True)
class One:
    """The row that the column `column` of this table points to."""

    column: str


@dataclass(frozen=True)
class Many:
    """The rows whose column `column` points to this row."""

    column: str


@dataclass(frozen=True)
class OneOf:
    """The row whose id `column` holds, of the view that the column `kind` names."""

    kind: str
    column: str


@dataclass(frozen=True)
class Measured:
    """How well the row matches the list's filter `filter`; null where it is not given."""

    filter: str


def sql(expression: Expression, *, asked: bool = False) -> Any:
    """A field computed by an expression over the row and the viewer.

    asked: it costs something and few want it, so REST gives it only with `include`, as GraphQL does by its nature.
    """
    return Sql(expression, asked)


def only_if(predicate: Predicate) -> Any:
    """A column shown to some: null, without an error, for everybody else."""
    return OnlyIf(predicate)


def measured(filter_name: str) -> Any:
    """The rank by one of the view's filters, such as a distance: null outside lists that are given the filter."""
    return Measured(filter_name)


def one(column: str) -> Any:
    """A relation to one row of another view, through this table's `column`."""
    return One(column)


def many(column: str) -> Any:
    """A relation to pages of another view, whose table points here through its `column`."""
    return Many(column)


def one_of(kind: str, column: str) -> Any:
    """A relation to one row of one of several views: of the type that this table's `kind` names, with the id in `column`."""
    return OneOf(kind, column)


T = TypeVar("T")


class Page(Generic[T]):
    """As an annotation: a connection with nodes, edges, page information and count."""


class View:
    """Base of every view, and, as an instance, a reference to one row of it that a command vouches for.

    of: the table, or what stands for one (`derived.py`). visible: which rows a viewer sees; None means all of the tenant.
    within: the `one` field of the parent whose visibility this view's rows need too.
    brief: the fields that REST shows where this view is nested in another.
    filters, orders: what lists can be asked for; the first order is the default.
    example: values for the reference, by the fields' names on the wire; the others come from their types.
    deprecated: fields that clients should leave, by their names on the wire.
    """

    of: ClassVar[type[DeclarativeBase]]
    visible: ClassVar[Predicate | None] = None
    within: ClassVar[str | None] = None
    brief: ClassVar[tuple[str, ...]] = ("id",)
    filters: ClassVar[Mapping[str, Filter]] = {}
    orders: ClassVar[Mapping[str, Order]] = {}
    example: ClassVar[Mapping[str, object]] = {}
    deprecated: ClassVar[Mapping[str, Deprecation]] = {}

    id: UUID

    def __init_subclass__(cls, *, of: type[DeclarativeBase]) -> None:
        super().__init_subclass__()
        if cls.__name__ in VIEWS:
            raise TypeError(f"two views are named {cls.__name__}")
        cls.of = of
        VIEWS[cls.__name__] = cls

    def __init__(self, row_id: UUID, *, created: bool = False) -> None:
        self.row_id = row_id
        self.created = created

    @classmethod
    def ref(cls, row_id: UUID, *, created: bool = False) -> Self:
        """What a command returns: the row to read back for the caller, and whether the command made it."""
        return cls(row_id, created=created)

    @classmethod
    def type_name(cls) -> str:
        """Its name in the outside world: the class name without `View`."""
        return cls.__name__.removesuffix("View")


VIEWS: dict[str, type[View]] = {}
"""Every declared view by class name."""


class UnionView:
    """Base of unions: a field with such a type shows a row of one of several views.

    A slice declares the union, and each slice above it that has something to show adds its views.
    """

    views: ClassVar[dict[str, type[View]]]
    """Its views by their names in the outside world."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.views = {}

    @classmethod
    def add(cls, *views: type[View]) -> None:
        """Let it show rows of these views too."""
        cls.views |= {view.type_name(): view for view in views}

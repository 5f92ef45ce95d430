"""Queries: the ways to read, each declared once over a view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, ParamSpec, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, ColumnElement, DateTime, Select, Text, Uuid, and_, case, null, true
from sqlalchemy.types import TypeEngine

from muster.kit.arguments import Arguments, Parameter
from muster.kit.caller import Allow, Permission
from muster.kit.declaration import Declaration, enter
from muster.kit.deprecation import Deprecation
from muster.kit.documentation import read_documentation
from muster.kit.limits import READ, Limit
from muster.kit.route import Route
from muster.kit.views.compiler import Compiler
from muster.kit.views.fields import split_optional, table_of
from muster.kit.views.page_arguments import PAGE_NAMES, PageShape, read_page
from muster.kit.views.picks import Pick, SlotValues
from muster.kit.views.scope import RowCondition, parent_of
from muster.kit.views.view import VIEWS, Page, Predicate, View
from muster.kit.views.writing import or_null

P = ParamSpec("P")
R = TypeVar("R")

Where = Callable[..., ColumnElement[bool]]
"""A query's own condition: over the row, the viewer, and the query's arguments by name. A boolean argument comes as
it is, since it may change the statement; any other as a parameter."""

Opens = Callable[[Any, ColumnElement[str]], ColumnElement[bool]]
"""Whether who brings this key sees the row, though its view shows it to others alone."""

KEY = "key"
"""The argument of a query that is opened by a key."""


@dataclass(frozen=True, kw_only=True)
class Query(Declaration):
    """A declared query. `paged` says whether it gives a page of `view`, or one row or null.

    where, unless, parent, stale, opened: as in `query`.
    """

    route: Route
    view: type[View]
    paged: bool
    where: Where | None
    unless: Mapping[str, Predicate]
    parent: type[View] | None
    stale: bool
    opened: Opens | None

    def __post_init__(self) -> None:
        super().__post_init__()
        if strangers := self.unless.keys() - self.view.filters.keys():
            raise TypeError(
                f"{self.name}: `unless` names {', '.join(strangers)}, which {self.view.__name__} has no filter for"
            )
        for parameter in self.arguments.parameters:
            sql_type_of(parameter)

    def read(self, raw: dict[str, object], *, from_text: bool = False) -> SlotValues:
        """The arguments of one request, checked. See `read_page` and `Arguments.read` for the errors."""
        own = {name: value for name, value in raw.items() if not self.paged or name not in PAGE_NAMES}
        chosen = self.arguments.read(own, from_text=from_text)
        if self.paged:
            paging = {name: value for name, value in raw.items() if name in PAGE_NAMES}
            return read_page(self.view, self.name, paging, chosen, from_text=from_text)
        flags = tuple((name, value) for name, value in chosen.items() if isinstance(value, bool) or value is None)
        return SlotValues(chosen, flags)

    def compile(self, compiler: Compiler, pick: Pick) -> ColumnElement[str]:
        """The answer as JSON text; `null` where there is no such row, or no parent that the viewer sees."""

        def chooses(row: Any) -> ColumnElement[bool]:
            return self._chooses(compiler, pick, row)

        parent = self._parent()
        if self.paged:
            within_checked = parent is not None and self.view.within is not None
            found = compiler.page(self.view, pick, chooses, within_checked=within_checked)
        else:
            found = compiler.one(self.view, pick, chooses, self._opens(compiler, pick))
        if parent is None:
            return found
        view, argument = parent
        seen = compiler.exists(view, lambda above: above.id == compiler.bind(pick.slot or 0, argument, Uuid()))
        return or_null(case((seen, found), else_=null()))

    def _opens(self, compiler: Compiler, pick: Pick) -> RowCondition | None:
        """What shows the row to who brings a key; None where nobody did."""
        slot, opened = pick.slot or 0, self.opened
        if opened is None or compiler.slots[slot].values[KEY] is None:
            return None
        return lambda row: opened(row, compiler.bind(slot, KEY, TEXT))

    def hold(self, compiler: Compiler) -> Select[Any]:
        """A statement that locks the one row that this reads, with arguments from slot 0."""
        return compiler.hold(self.view, lambda row: self._chooses(compiler, Pick("", "", 0), row))

    @property
    def may_be_missing(self) -> bool:
        """Whether the answer may be null: one row that is not there, or a list whose parent the caller does not see."""
        return not self.paged or self.within_parent

    @property
    def within_parent(self) -> bool:
        """Whether all rows of this list belong to one parent, which an argument names."""
        return self.paged and self._parent() is not None

    def _parent(self) -> tuple[type[View], str] | None:
        """The parent that has to be seen before what this reads, and the argument that names it.

        One row that is within a parent asks for it by itself.
        """
        if self.parent is not None:
            return self.parent, self.route.places[0]
        if self.view.within is None or not self.paged:
            return None
        parent, column = parent_of(self.view)
        named = any(each.name == column for each in self.arguments.parameters)
        return (parent, column) if named else None

    def _chooses(self, compiler: Compiler, pick: Pick, row: Any) -> ColumnElement[bool]:
        slot = pick.slot or 0
        values = compiler.slots[slot].values
        given: dict[str, Any] = {}
        for parameter in self.arguments.parameters:
            if self.opened is not None and parameter.name == KEY:
                continue
            value = values[parameter.name]
            is_flag = isinstance(value, bool) or value is None
            given[parameter.name] = value if is_flag else compiler.bind(slot, parameter.name, sql_type_of(parameter))
        columns = table_of(self.view).columns
        same = [row[name] == value for name, value in given.items() if name in columns and value is not None]
        extra = {name: value for name, value in given.items() if name not in columns}
        own = [self.where(row, compiler.viewer, **extra)] if self.where is not None else []
        shape = compiler.slots[slot].shape
        chosen = shape.filters if isinstance(shape, PageShape) else ()
        usual = [condition(row, compiler.viewer) for name, condition in self.unless.items() if name not in chosen]
        return and_(true(), *same, *own, *usual)


TEXT = Text()
_SQL_TYPES: dict[Any, TypeEngine[Any]] = {
    UUID: Uuid(),
    datetime: DateTime(timezone=True),
    int: BigInteger(),
    bool: Boolean(),
    str: TEXT,
}
_BOUNDS: dict[Any, tuple[str, ...]] = {int: ("ge", "le"), datetime: ("tz",)}
"""What must be said of a type, or there are values of it that the database does not take."""


def sql_type_of(parameter: Parameter) -> TypeEngine[Any]:
    """The type that an argument of a query is bound as, whatever narrows it further; an enumeration as text.

    Raises TypeError for what cannot be bound: a number needs the bounds of `WholeNumber`, a moment those of `Instant`.
    """
    kind = split_optional(parameter.type)[0]
    plain, *told = get_args(kind) if get_origin(kind) is Annotated else (kind,)
    if isinstance(plain, type) and issubclass(plain, StrEnum):
        return TEXT
    is_bounded = all(any(getattr(each, name, None) is not None for each in told) for name in _BOUNDS.get(plain, ()))
    if plain not in _SQL_TYPES or not is_bounded:
        raise TypeError(
            f"{parameter.name}: a query cannot bind {kind!r}; take `WholeNumber`, `Instant`, or a plainer type"
        )
    return _SQL_TYPES[plain]


QUERIES: dict[str, Query] = {}
"""Every declared query by its GraphQL name."""


def query(
    route: str,
    name: str,
    *,
    allow: Allow,
    where: Where | None = None,
    unless: Mapping[str, Predicate] = MappingProxyType({}),
    parent: type[View] | None = None,
    stale: bool = False,
    opened: Opens | None = None,
    permission: Permission | None = None,
    limit: Limit = READ,
    feature: str | None = None,
    deprecated: Deprecation | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare a way to read: a function without a body whose result is `View | None` or `Page[View]`.

    Its arguments choose rows by the columns of the same names; the others go to `where`. `unless` names filters of the
    view, each with the condition that holds while the filter is not given. What is within a parent is null when the
    caller does not see that parent; `parent` names it where the view does not, and the first place of the route is its
    id. `opened` shows one row to who brings its `key`, too. `stale` lets a replica answer: rows and rights may be those
    of a moment ago, but for what the caller did.
    Raises TypeError, at import, for a declaration that is not whole.
    """

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        returns = split_optional(get_type_hints(function, localns=dict(VIEWS))["return"])[0]
        paged = get_origin(returns) is Page
        declared = Query(
            name=name,
            route=Route.parse(route),
            view=get_args(returns)[0] if paged else returns,
            paged=paged,
            where=where,
            unless=unless,
            parent=parent,
            stale=stale,
            opened=opened,
            arguments=Arguments(function),
            documentation=read_documentation(function),
            allow=allow,
            permission=permission,
            limit=limit,
            feature=feature,
            deprecated=deprecated,
        )
        enter(QUERIES, declared)
        return function

    return declare

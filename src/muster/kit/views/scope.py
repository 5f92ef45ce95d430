"""The scope of one statement: its viewer, its parameters, its aliases, and what its viewer may see."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Double,
    FromClause,
    Select,
    and_,
    any_,
    bindparam,
    column,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.sql.selectable import NamedFromClause
from sqlalchemy.types import TypeEngine

from muster.kit.caller import REQUEST
from muster.kit.db.aliases import Columns, alias_of
from muster.kit.db.statements import quoted
from muster.kit.views.fields import Leaf, ToOne, fields_of, table_of
from muster.kit.views.page_arguments import PageShape
from muster.kit.views.picks import SlotValues
from muster.kit.views.view import View, Viewer


class Rows:
    """The rows of a table or sub-select that is known by its name; `c` makes their columns as they are asked for.

    It tells which were asked for, too, so that no other is selected.

    beside: what stands beside each row in its FROM, and is worked out for it.
    """

    def __init__(self, name: str, types: Mapping[str, TypeEngine[Any]]) -> None:
        self.name, self.c = name, Columns(types, self._column)
        self.beside: list[FromClause] = []

    def _column(self, name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        return literal_column(f"{self.name}.{quoted(name)}", kind)


Source: TypeAlias = FromClause | Rows
"""Where the rows of a view come from: a table, or a sub-select."""


def correlated(statement: Select[Any], outer: Source | None) -> Select[Any]:
    """A sub-select whose conditions refer to the rows of an enclosing one."""
    return statement if isinstance(outer, Rows) else statement.correlate(outer)


RowCondition = Callable[[Any], ColumnElement[bool]]
"""A condition on a row: takes its columns as attributes."""

REQUEST_VIEWER = Viewer(user_id=REQUEST.user_id, tenant_id=REQUEST.tenant_id, now=REQUEST.now)
"""The viewer of a request."""


@dataclass
class Scope:
    """What the parts of one statement share.

    slots: the arguments of the picked fields, by slot. viewer: who reads.
    bound: the parameters made so far, and where their values stand: (slot, name).
    """

    slots: Sequence[SlotValues] = ()
    viewer: Viewer = REQUEST_VIEWER
    bound: dict[str, tuple[int, str]] = field(default_factory=dict)
    _names: int = 0

    def bind(self, slot: int, name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        """The parameter for one argument of one field."""
        parameter = f"s{slot}_{name}"
        self.bound[parameter] = (slot, name)
        return bindparam(parameter, type_=kind)

    def name(self, prefix: str) -> str:
        """A name that nothing else in this statement has."""
        self._names += 1
        # Two underscores, since SQLAlchemy calls the aliases in predicates `members_1`, `members_2` and so on.
        return f"{prefix}__{self._names}"

    def alias(self, view: type[View]) -> NamedFromClause:
        """A fresh alias of a view's table. Conditions take its columns, `.c`."""
        table = table_of(view)
        return alias_of(table, self.name(table.name))

    def visible(self, view: type[View], source: Source, *, within_checked: bool = False) -> list[ColumnElement[bool]]:
        """The conditions under which the viewer may see the rows of `source`.

        within_checked: the parent's visibility is already part of the statement.
        """
        conditions = [] if view.visible is None else [view.visible(source.c, self.viewer)]
        if view.within is not None and not within_checked:
            parent, column = parent_of(view)
            conditions.append(self.exists(parent, lambda above: above.id == source.c[column], source))
        return conditions

    def shown(self, view: type[View], row: Any, columns: Sequence[str]) -> list[ColumnElement[bool]]:
        """The conditions under which the viewer is shown these columns of a row that they see."""
        leaves = [each for each in fields_of(view).values() if isinstance(each, Leaf) and each.column in columns]
        return [each.guard(row, self.viewer) for each in leaves if each.guard is not None]

    def narrowed(
        self, statement: Select[Any], view: type[View], row: Any, slot: int, name: str, *, walked: bool = False
    ) -> tuple[Select[Any], ColumnElement[bool], ColumnElement[float] | None]:
        """A statement over rows of `view` with one of the view's filters: the condition that it puts on a row, and how
        well a row matches, where the filter can say so. The value stands in the slot.

        walked: the rows are looked at one after the other, so no finder is asked.
        """
        declared, shape = view.filters[name], self.slots[slot].shape
        value: Any = self.bind(slot, f"filter_{name}", declared.sql_type)
        if declared.takes_several:
            value = Grouping(value)[1] if isinstance(shape, PageShape) and name in shape.alone else any_(value)
        condition = (walked and declared.walked) or declared.condition
        if condition is not None:
            rank = None if declared.rank is None else declared.rank(row, value)
            return statement, and_(condition(row, value), *self.shown(view, row, declared.tells_of)), rank
        is_ranked = isinstance(shape, PageShape) and view.orders[shape.order].ranked_by == name
        asked = (is_ranked and declared.ranking_finder) or declared.finder or ""
        schema, _, function = asked.partition(".")
        found = (
            getattr(getattr(func, schema), function)(value)
            .table_valued(column("id"), column("rank", Double()))
            .alias(self.name("found"))
        )
        return statement.select_from(found), found.c.id == row.id, found.c.rank

    def exists(self, view: type[View], condition: RowCondition, outer: Source | None = None) -> ColumnElement[bool]:
        """Whether the viewer sees a row of `view` that meets the condition.

        outer: the enclosing select's rows, when the condition refers to them.
        """
        source = self.alias(view)
        found = select(true()).select_from(source).where(and_(condition(source.c), *self.visible(view, source)))
        return correlated(found, outer).exists()


def parent_of(view: type[View]) -> tuple[type[View], str]:
    """The view that `view` is within, and the column that leads there. Raises TypeError when there is none."""
    relation = fields_of(view).get(view.within or "")
    if not isinstance(relation, ToOne):
        raise TypeError(f"{view.__name__}.within names no `one` field")
    return relation.target, relation.column

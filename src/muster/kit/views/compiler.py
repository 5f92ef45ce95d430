"""The compiler: picks over a view become the SQL expression of a finished JSON text.

Every value a client sends is a bind parameter; the only text that varies is made of names that views own. A value
that may be NULL is written as `null`, since one NULL makes a whole concatenation NULL.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select, true

from muster.kit.views.connections import Connection
from muster.kit.views.derived import kept
from muster.kit.views.fields import Leaf, ToMany, ToOne, ToUnion, fields_of, table_of
from muster.kit.views.paging import measure_of
from muster.kit.views.picks import Pick
from muster.kit.views.scope import RowCondition, Scope, Source, correlated
from muster.kit.views.view import View
from muster.kit.views.writing import constant, json_object, or_null, write


class Compiler(Scope):
    """Compiles the picks of one statement."""

    def object(self, view: type[View], source: Source, picks: Sequence[Pick]) -> ColumnElement[str]:
        """One row as a JSON object with the picked fields."""
        return json_object((pick.key, self._value(view, source, pick)) for pick in picks)

    def one(
        self, view: type[View], pick: Pick, chooses: RowCondition, opens: RowCondition | None = None
    ) -> ColumnElement[str]:
        """The one visible row that meets the condition, or null. opens: what makes a row visible besides."""
        source = self.alias(view)
        row = self.object(view, source, pick.picks)
        seen = and_(true(), *self.visible(view, source))
        found = select(row).where(chooses(source.c), seen if opens is None else or_(seen, opens(source.c)))
        return or_null(found.limit(1).scalar_subquery())

    def hold(self, view: type[View], chooses: RowCondition) -> Select[Any]:
        """A statement that locks the row that `one` would give, as an update of it does."""
        source = self.alias(view)
        found = select(source.c.id).where(and_(chooses(source.c), *self.visible(view, source)))
        return kept(found, table_of(view))

    def reference(self, view: type[View], pick: Pick, row_id: ColumnElement[UUID]) -> ColumnElement[str]:
        """A row that a command vouches for: isolated, but not asked whether it is visible."""
        source = self.alias(view)
        found = select(self.object(view, source, pick.picks)).where(source.c.id == row_id)
        return or_null(found.scalar_subquery())

    def page(
        self,
        view: type[View],
        pick: Pick,
        chooses: RowCondition,
        *,
        outer: Source | None = None,
        within_checked: bool = False,
    ) -> ColumnElement[str]:
        """A page of the rows that `chooses` picks.

        outer: the enclosing select's rows, when `chooses` refers to them.
        within_checked: the parent's visibility is already part of the statement.
        """

        def node(source: Source, picks: Sequence[Pick]) -> ColumnElement[str]:
            return self.object(view, source, picks)

        return Connection(self, view, pick, chooses, node, outer=outer, within_checked=within_checked).text()

    def _value(self, view: type[View], source: Source, pick: Pick) -> str | ColumnElement[str]:
        if pick.name == "__typename":
            return f'"{view.type_name()}"'
        wanted = fields_of(view)[pick.name]
        if isinstance(wanted, Leaf):
            return self._leaf(wanted, source)
        if isinstance(wanted, ToOne):
            return self._related(wanted.target, wanted.column, source, pick.picks)
        if isinstance(wanted, ToUnion):
            return self._to_union(wanted, source, pick)
        return self._to_many(wanted, source, pick)

    def _leaf(self, leaf: Leaf, source: Source) -> ColumnElement[str]:
        if leaf.measured is not None and measure_of(leaf.measured) not in source.c:
            return constant("null")
        column = measure_of(leaf.measured) if leaf.measured else leaf.column or leaf.key
        value = leaf.sql.expression(source.c, self.viewer) if leaf.sql else source.c[column]
        text = write(value, leaf.type)
        if leaf.guard is not None:
            text = case((leaf.guard(source.c, self.viewer), text))
        return or_null(text) if leaf.nullable else text

    def _related(self, view: type[View], column: str, source: Source, picks: Sequence[Pick]) -> ColumnElement[str]:
        """The row of `view` that a column of `source` points to, or null."""
        target = self.alias(view)
        condition = and_(target.c.id == source.c[column], *self.visible(view, target))
        found = select(self.object(view, target, picks)).where(condition)
        return or_null(correlated(found, source).scalar_subquery())

    def _to_union(self, relation: ToUnion, source: Source, pick: Pick) -> ColumnElement[str]:
        kind = source.c[relation.kind]
        rows = (
            (kind == constant(name), self._related(relation.target.views[name], relation.column, source, picks))
            for name, picks in pick.kinds
        )
        return case(*rows, else_=constant("null"))

    def _to_many(self, relation: ToMany, source: Source, pick: Pick) -> ColumnElement[str]:
        def points_here(child: Any) -> ColumnElement[bool]:
            condition: ColumnElement[bool] = child[relation.column] == source.c.id
            return condition

        return self.page(relation.target, pick, points_here, outer=source, within_checked=True)

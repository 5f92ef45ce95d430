"""The compiler: picks over a view become the SQL expression of a finished JSON text.

Every value a client sends is a bind parameter; the only text that varies is made of names that views own. A value
that may be NULL is written as `null`, since one NULL makes a whole concatenation NULL.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, or_, select, true
from sqlalchemy.sql.selectable import NamedFromClause

from muster.kit.views.connections import Connection
from muster.kit.views.derived import kept
from muster.kit.views.fields import Leaf, ToMany, ToOne, ToUnion, fields_of, table_of, types_of
from muster.kit.views.paging import measure_of
from muster.kit.views.picks import Pick
from muster.kit.views.scope import RowCondition, Rows, Scope
from muster.kit.views.shared import asked_once
from muster.kit.views.view import View
from muster.kit.views.writing import constant, is_enumeration, json_object, or_null, write


class Compiler(Scope):
    """Compiles the picks of one statement."""

    def written(self, view: type[View], source: NamedFromClause, picks: Sequence[Pick]) -> Select[Any]:
        """A statement over the rows of an alias of the view's table: each as a JSON object with the picked fields, `written`."""
        rows = Rows(source.name, types_of(view))
        text = self.object(view, rows, picks)
        return select(text.label("written")).select_from(source, *rows.beside)

    def object(self, view: type[View], rows: Rows, picks: Sequence[Pick]) -> ColumnElement[str]:
        """One row as a JSON object with the picked fields. What several of them ask goes to stand beside the rows."""
        fields = fields_of(view)
        leaves = ((pick.key, fields.get(pick.name)) for pick in picks)
        asks = ((key, self._asks(leaf, rows)) for key, leaf in leaves if isinstance(leaf, Leaf))
        each = {key: expression for key, expression in asks if expression is not None}
        asked, beside = asked_once(each, self.name("asked"))
        rows.beside += [] if beside is None else [beside]
        return json_object((pick.key, self._value(view, rows, pick, asked.get(pick.key))) for pick in picks)

    def one(
        self, view: type[View], pick: Pick, chooses: RowCondition, opens: RowCondition | None = None
    ) -> ColumnElement[str]:
        """The one visible row that meets the condition, or null. opens: what makes a row visible besides."""
        source = self.alias(view)
        seen = and_(true(), *self.visible(view, source))
        found = self.written(view, source, pick.picks).where(
            chooses(source.c), seen if opens is None else or_(seen, opens(source.c))
        )
        return or_null(found.limit(1).scalar_subquery())

    def hold(self, view: type[View], chooses: RowCondition) -> Select[Any]:
        """A statement that locks the row that `one` would give, as an update of it does."""
        source = self.alias(view)
        found = select(source.c.id).where(and_(chooses(source.c), *self.visible(view, source)))
        return kept(found, table_of(view))

    def reference(self, view: type[View], pick: Pick, row_id: ColumnElement[UUID]) -> ColumnElement[str]:
        """A row that a command vouches for: isolated, but not asked whether it is visible."""
        source = self.alias(view)
        found = self.written(view, source, pick.picks).where(source.c.id == row_id)
        return or_null(found.scalar_subquery())

    def page(
        self,
        view: type[View],
        pick: Pick,
        chooses: RowCondition,
        *,
        outer: Rows | None = None,
        within_checked: bool = False,
    ) -> ColumnElement[str]:
        """A page of the rows that `chooses` picks.

        outer: the enclosing select's rows, when `chooses` refers to them.
        within_checked: the parent's visibility is already part of the statement.
        """

        def node(rows: Rows, picks: Sequence[Pick]) -> ColumnElement[str]:
            return self.object(view, rows, picks)

        return Connection(self, view, pick, chooses, node, outer=outer, within_checked=within_checked).text()

    def _value(
        self, view: type[View], rows: Rows, pick: Pick, asked: ColumnElement[Any] | None
    ) -> str | ColumnElement[str]:
        if pick.name == "__typename":
            return f'"{view.type_name()}"'
        wanted = fields_of(view)[pick.name]
        if isinstance(wanted, Leaf):
            return self._leaf(wanted, rows, asked)
        if isinstance(wanted, ToOne):
            return self._related(wanted.target, wanted.column, rows, pick.picks)
        if isinstance(wanted, ToUnion):
            return self._to_union(wanted, rows, pick)
        return self._to_many(wanted, rows, pick)

    def _asks(self, leaf: Leaf, rows: Rows) -> ColumnElement[Any] | None:
        """What has to be worked out for a field: its value, or who is shown it; None where a column is all."""
        ask = leaf.guard if leaf.sql is None else leaf.sql.expression
        return None if ask is None else ask(rows.c, self.viewer)

    def _leaf(self, leaf: Leaf, rows: Rows, asked: ColumnElement[Any] | None) -> ColumnElement[str]:
        if leaf.measured is not None and measure_of(leaf.measured) not in rows.c:
            return constant("null")
        # A constraint keeps a column within its enumeration; what an expression gives is written as any text is.
        kind = str if leaf.sql is not None and is_enumeration(leaf.type) else leaf.type
        text = write(self._seen(leaf, rows, asked), kind)
        return or_null(text) if leaf.nullable else text

    def _seen(self, leaf: Leaf, rows: Rows, asked: ColumnElement[Any] | None) -> ColumnElement[Any]:
        if leaf.sql is not None and asked is not None:
            return asked
        value = rows.c[measure_of(leaf.measured) if leaf.measured else leaf.column or leaf.key]
        # Where there is nothing to see, nobody is asked whether they may.
        return value if asked is None else case((and_(value.is_not(None), asked), value))

    def _related(self, view: type[View], column: str, rows: Rows, picks: Sequence[Pick]) -> ColumnElement[str]:
        """The row of `view` that a column of `rows` points to, or null."""
        target = self.alias(view)
        condition = and_(target.c.id == rows.c[column], *self.visible(view, target))
        return or_null(self.written(view, target, picks).where(condition).scalar_subquery())

    def _to_union(self, relation: ToUnion, rows: Rows, pick: Pick) -> ColumnElement[str]:
        kind = rows.c[relation.kind]
        kinds = (
            (kind == constant(name), self._related(relation.target.views[name], relation.column, rows, picks))
            for name, picks in pick.kinds
        )
        return case(*kinds, else_=constant("null"))

    def _to_many(self, relation: ToMany, rows: Rows, pick: Pick) -> ColumnElement[str]:
        def points_here(child: Any) -> ColumnElement[bool]:
            condition: ColumnElement[bool] = child[relation.column] == rows.c.id
            return condition

        return self.page(relation.target, pick, points_here, outer=rows, within_checked=True)

"""Connections: a page of rows, its edges, cursors, page information and count, as one JSON text.

Where page information is wanted, the inner select takes one row more than asked, and the outer one cuts it off what it has
gathered. It gathers in the order that the rows come in: a sort, or numbers to cut by, would copy every row once more.

What a filter finds may lie anywhere in the order: a common word in every tenth row, a rare one in three of a million. One
plan serves both, and it can neither sort all that is common nor walk past all that does not match. So such a list is
walked first, a bounded way from where the page begins; only where that does not fill the page, what the filters find is
looked up, which is then rare (decision 0029).

Where some rows lead an order, the page is put together from the first of those and the first of the rest, each of which
an index has in order.
"""

from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    CompoundSelect,
    DateTime,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal_column,
    not_,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import TypeEngine

from muster.kit.views.fields import types_of
from muster.kit.views.page_arguments import PageShape
from muster.kit.views.paging import CHECK_LENGTH, LARGEST_SIZE, LED_BY, SEPARATOR, measure_of
from muster.kit.views.picks import Pick
from muster.kit.views.scope import RowCondition, Rows, Scope, correlated
from muster.kit.views.view import View
from muster.kit.views.writing import constant, join, json_object, moment, or_null

Node = Callable[[Rows, Sequence[Pick]], ColumnElement[str]]
"""Writes the picked fields of one row; what they share stands beside the rows then."""
# The planner sees that no more rows are wanted than these, whatever size the one plan for all sizes is given.
_MOST = literal_column(str(LARGEST_SIZE + 1), Integer())
# Rows that are walked before they are looked up: of what is in one of two hundred that is a page; what is rarer than that
# is 5,000 of a million, which take as long to look up (decision 0029).
_WALK = literal_column("4000", Integer())
_NONE = literal_column("0", Integer())
_MOMENT = DateTime(timezone=True)
_BEGINNING, _END = (literal_column(f"'{text}'::timestamptz", _MOMENT) for text in ("-infinity", "infinity"))


Chosen: TypeAlias = Select[Any] | CompoundSelect[Any]


class Found(NamedTuple):
    """A statement over the rows of a list: the columns of a row, what it is ordered by, and its rank by each filter."""

    statement: Select[Any]
    row: Any
    keys: list[ColumnElement[Any]]
    ranks: dict[str, ColumnElement[float]]


class Connection:
    """One page of `view`: the rows that `chooses` picks, as the arguments in the pick's slot want them.

    node: writes one row. outer: the enclosing select's rows, if `chooses` refers to them.
    within_checked: the parent's visibility is asked elsewhere in the statement.
    """

    def __init__(
        self,
        scope: Scope,
        view: type[View],
        pick: Pick,
        chooses: RowCondition,
        node: Node,
        *,
        outer: Rows | None,
        within_checked: bool,
    ) -> None:
        shape = None if pick.slot is None else scope.slots[pick.slot].shape
        if pick.slot is None or not isinstance(shape, PageShape):
            raise TypeError(f"{pick.key}: a page needs a slot with page arguments")
        self.slot, self.shape = pick.slot, shape
        self.scope, self.view, self.pick, self.node = scope, view, pick, node
        self.chooses, self.outer, self.within_checked = chooses, outer, within_checked
        self.order = view.orders[self.shape.order]
        self.size = scope.bind(self.slot, "size", Integer())
        self.has_one_more = any(each.name == "pageInfo" for each in pick.picks)
        self.found = self._rows(select(), beyond_cursor=False)
        self.keys = [f"key{number}" for number in range(len(self.found.keys))]
        self.types = {**types_of(view)}
        self.types |= {measure_of(name): rank.type for name, rank in self.found.ranks.items()}
        self.types |= {name: key.type for name, key in zip(self.keys, self.found.keys, strict=True)}
        self.inner = Rows(scope.name("page"), self.types)

    def text(self) -> ColumnElement[str]:
        """The connection as JSON text."""
        body = json_object((pick.key, self._part(pick)) for pick in self.pick.picks)
        # HAVING makes an aggregate of a page of which only constants are wanted.
        return select(body).select_from(self._page(), *self.inner.beside).having(true()).scalar_subquery()

    def _part(self, pick: Pick) -> str | ColumnElement[str]:
        match pick.name:
            case "nodes":
                return self._listed(self.node(self.inner, pick.picks))
            case "edges":
                return self._listed(self._edge(pick))
            case "pageInfo":
                return self._page_info(pick)
            case "totalCount":
                counted = self._rows(select(func.count()), beyond_cursor=None).statement
                return cast(correlated(counted, self.outer).scalar_subquery(), Text)
        return f'"{self.view.type_name()}Connection"'

    def _listed(self, element: ColumnElement[str]) -> ColumnElement[str]:
        if self.has_one_more:
            more = cast(func.greatest(func.count() - self.size, _NONE), Integer)
            page = func.trim_array(self._gathered(cast(element, Text), Text()), more)
            page = func.array_reverse(page) if self.shape.backwards else page
            listed = func.array_to_string(page, constant(","), type_=Text())
        else:
            listed = func.string_agg(element, aggregate_order_by(constant(","), *self._in_order()))
        return join(["[", func.coalesce(listed, constant("")), "]"])

    def _in_order(self) -> list[ColumnElement[Any]]:
        """What the rows of a page are listed by. They come in that order but for backwards, so PostgreSQL sorts nothing."""
        keys = (self.inner.c[name] for name in self.keys)
        return [key.desc() if self.order.descending else key.asc() for key in keys]

    def _gathered(self, value: ColumnElement[Any], kind: TypeEngine[Any]) -> Any:
        """The array of a value of each row, in the order that they come in; the row more is the last."""
        keys = self._ordered(self.inner.c[name] for name in self.keys)
        return func.array_agg(aggregate_order_by(value, *keys), type_=ARRAY(kind))

    def _edge(self, pick: Pick) -> ColumnElement[str]:
        return json_object((inner.key, self._edge_part(inner)) for inner in pick.picks)

    def _edge_part(self, pick: Pick) -> str | ColumnElement[str]:
        match pick.name:
            case "node":
                return self.node(self.inner, pick.picks)
            case "cursor":
                return join(['"', self._cursor([self.inner.c[name] for name in self.keys]), '"'])
        return f'"{self.view.type_name()}Edge"'

    def _page_info(self, pick: Pick) -> ColumnElement[str]:
        return json_object((inner.key, self._page_fact(inner.name)) for inner in pick.picks)

    def _page_fact(self, name: str) -> str | ColumnElement[str]:
        more, beyond = func.count() > self.size, self._beyond()
        match name:
            case "hasNextPage":
                return cast(beyond if self.shape.backwards else more, Text)
            case "hasPreviousPage":
                return cast(more if self.shape.backwards else beyond, Text)
            case "startCursor":
                return self._end(last=self.shape.backwards)
            case "endCursor":
                return self._end(last=not self.shape.backwards)
        return '"PageInfo"'

    def _end(self, *, last: bool) -> ColumnElement[str]:
        """The cursor of the first or last row of the page that came in, computed once and not per row."""
        at = func.least(func.count(), self.size) if last else 1
        keys = [self._gathered(self.inner.c[name], self.types[name])[at] for name in self.keys]
        # A page of no rows has no ends, though the row more was found.
        return or_null(case((self.size > _NONE, join(['"', self._cursor(keys), '"']))))

    def _beyond(self) -> ColumnElement[bool]:
        """Whether rows lie on the other side of the cursor that the page starts from."""
        if not self.shape.cursor:
            return false()
        found = self._rows(select(true()), beyond_cursor=True).statement
        return correlated(found, self.outer).exists()

    def _page(self) -> Subquery:
        """The rows that are aggregated, with the columns that were asked for until now."""
        wanted = [name for name in self.inner.c if name not in self.keys]
        chosen = self._chosen(wanted)
        rows = Rows(self.scope.name("rows"), self.types)
        ordered = self._ordered(rows.c[name] for name in self.keys)
        columns = (rows.c[name].label(name) for name in (*wanted, *self.keys))
        # The order is said again, since PostgreSQL does not see through two selects that the rows are in it already.
        page = select(*columns).select_from(chosen.subquery(rows.name)).order_by(*ordered)
        return page.limit(self.size + 1 if self.has_one_more else self.size).subquery(self.inner.name)

    def _chosen(self, wanted: Sequence[str]) -> Chosen:
        """The first rows that are asked for, and more of them than the page holds."""
        if self.order.leads is None:
            return self._first_of(self.found, wanted, None)
        halves = (self._rows(select(), beyond_cursor=False, leading=leading) for leading in (True, False))
        leaders, rest = (self._first_of(each, wanted, n == 0) for n, each in enumerate(halves))
        return union_all(leaders, rest)

    def _first_of(self, found: Found, wanted: Sequence[str], leading: bool | None) -> Chosen:
        """The first of what was found. Those that lead are few, so they are looked up whatever the filters are."""
        if leading:
            return self._looked_up(found, wanted)
        scattered = self._scattered()
        return self._walked_or_looked_up(found, wanted, scattered, leading) if scattered else self._first(found, wanted)

    def _with_columns(self, found: Found, wanted: Sequence[str]) -> Select[Any]:
        """What was found, with the columns of the page."""
        ranks = {measure_of(name): rank for name, rank in found.ranks.items()}
        columns = ((ranks[name] if name in ranks else found.row[name]).label(name) for name in wanted)
        keys = (key.label(name) for name, key in zip(self.keys, found.keys, strict=True))
        return correlated(found.statement.add_columns(*columns, *keys), self.outer)

    def _first(self, found: Found, wanted: Sequence[str]) -> Select[Any]:
        """The first of what was found, in the order of the list."""
        return self._with_columns(found, wanted).order_by(*self._ordered(self._sorting(found.keys))).limit(_MOST)

    def _sorting(self, keys: Sequence[ColumnElement[Any]]) -> Sequence[ColumnElement[Any]]:
        """The keys that differ among rows that all lead, or all do not."""
        return keys if self.order.leads is None else keys[len(LED_BY) :]

    def _scattered(self) -> tuple[str, ...]:
        """The filters whose rows lie anywhere in the order; none where they are not worth a walk."""
        if self.order.ranked_by or self.outer is not None:
            return ()
        return tuple(name for name in self.shape.filters if self.order.is_alone or self.view.filters[name].is_scattered)

    def _walked_or_looked_up(
        self, found: Found, wanted: Sequence[str], scattered: tuple[str, ...], leading: bool | None
    ) -> CompoundSelect[Any]:
        """The first rows, by a walk if that fills the page, else by looking up all that the filters find."""
        walked = self._first(self._walked(scattered, leading), wanted).cte(self.scope.name("walked"), nesting=True)
        is_enough = select(func.count() > self.size).select_from(walked).scalar_subquery()
        looked_up = self._looked_up(found, wanted).where(not_(is_enough))
        return union_all(select(walked).where(is_enough), looked_up)

    def _looked_up(self, found: Found, wanted: Sequence[str]) -> Select[Any]:
        """The first of what was found, when all of that was found."""
        # Behind OFFSET the planner sees no limit that would make it walk after all.
        everything = self._with_columns(found, wanted).offset(_NONE).subquery(self.scope.name("found"))
        ordered = self._ordered(everything.c[name] for name in self.keys)
        return select(everything).order_by(*ordered).limit(_MOST)

    def _walked(self, scattered: tuple[str, ...], leading: bool | None) -> Found:
        """What the scattered filters leave of the rows that a walk of bounded length comes by."""
        near = self._rows(select(), beyond_cursor=False, without=scattered, leading=leading)
        rows = Rows(self.scope.name("near"), types_of(self.view))
        # One star for all columns: those that nobody asks for the planner leaves out.
        way = near.statement.add_columns(literal_column(f"{near.row.id.table.name}.*"))
        way = way.order_by(*self._ordered(self._sorting(near.keys))).limit(_WALK)
        statement = select().select_from(way.subquery(rows.name))
        statement, conditions, ranks = self._narrowed(statement, rows.c, scattered, walked=scattered)
        keys = [*self._led(leading), *(rows.c[name] for name in self.order.columns)]
        return Found(statement.where(and_(*conditions)), rows.c, keys, ranks)

    def _led(self, leading: bool | None) -> list[ColumnElement[Any]]:
        """What the keys of rows begin with that all lead, or all do not; nothing in an order without such."""
        return [] if leading is None else [self._as_of(), literal_column("0" if leading else "1", Integer())]

    def _as_of(self) -> ColumnElement[datetime]:
        """When the first page was read."""
        return self._mark(0, _MOMENT) if self.shape.cursor else self.scope.viewer.now

    def _mark(self, number: int, kind: TypeEngine[Any]) -> ColumnElement[Any]:
        """A key of the cursor."""
        return self.scope.bind(self.slot, f"cursor_{number}", kind)

    def _ordered(self, keys: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [key.desc() if self.order.descending != self.shape.backwards else key.asc() for key in keys]

    def _rows(
        self,
        statement: Select[Any],
        *,
        beyond_cursor: bool | None,
        without: tuple[str, ...] = (),
        leading: bool | None = None,
    ) -> Found:
        """`statement` over the rows of the list.

        beyond_cursor: False for those after the cursor, True for the others, None for all. without: filters not to ask.
        leading: only those that lead the order, or only the others; None for both.
        """
        source = self.scope.alias(self.view)
        row = source.c
        statement = statement.select_from(source)
        conditions = [self.chooses(row), *self.scope.visible(self.view, source, within_checked=self.within_checked)]
        asked = [name for name in self.shape.filters if name not in without]
        # Those that lead are few, so each is asked, but for what only a finder knows.
        probed = [name for name in asked if leading and not self.view.filters[name].finder]
        statement, narrowing, ranks = self._narrowed(statement, row, asked, walked=probed)
        keys: list[ColumnElement[Any]] = [ranks[self.order.ranked_by]] if self.order.ranked_by else []
        if self.order.leads is not None:
            leads = self.order.leads(row, self._as_of())
            does_not = not_(func.coalesce(leads, false(), type_=Boolean()))
            keys += self._led(leading) or [self._as_of(), cast(does_not, Integer())]
            conditions += [] if leading is None else [leads if leading else does_not]
        keys += [row[name] for name in self.order.columns]
        if beyond_cursor is not None and self.shape.cursor:
            conditions.append(self._compare_with_cursor(keys, beyond=beyond_cursor, leading=leading))
        return Found(statement.where(and_(*conditions, *narrowing)), row, keys, ranks)

    def _narrowed(
        self, statement: Select[Any], row: Any, names: Iterable[str], *, walked: Container[str]
    ) -> tuple[Select[Any], list[ColumnElement[bool]], dict[str, ColumnElement[float]]]:
        """A statement with what filters ask of a row, and how well a row matches each that can say so.

        walked: the filters that are asked of one row after the other.
        """
        conditions: list[ColumnElement[bool]] = []
        ranks: dict[str, ColumnElement[float]] = {}
        for name in names:
            statement, condition, rank = self.scope.narrowed(
                statement, self.view, row, self.slot, name, walked=name in walked
            )
            conditions.append(condition)
            if rank is not None:
                ranks[name] = rank
        return statement, conditions, ranks

    def _compare_with_cursor(
        self, keys: Sequence[ColumnElement[Any]], *, beyond: bool, leading: bool | None
    ) -> ColumnElement[bool]:
        marks = [self._mark(number, key.type) for number, key in enumerate(keys)]
        if leading is not None:
            # An index is entered at the cursor in that half where it stands; the other half is whole, or none of it is left.
            keys, (_, half, moment_, *others) = self._sorting(keys), marks
            bounds = (moment_, _END) if leading else (_BEGINNING, moment_)
            marks = [case((half == _NONE, bounds[0]), else_=bounds[1]), *others]
        ascends = self.order.descending == self.shape.backwards
        place, mark = tuple_(*keys), tuple_(*marks)
        if beyond:
            return place <= mark if ascends else place >= mark
        return place > mark if ascends else place < mark

    def _cursor(self, keys: Sequence[ColumnElement[Any]]) -> ColumnElement[str]:
        """The opaque text of a place: list tag, order keys, and a checksum over both."""
        tag = self.scope.bind(self.slot, "tag", Text())
        parts: list[str | ColumnElement[str]] = [tag]
        for key in keys:
            is_moment = getattr(key.type, "timezone", False)
            parts += [SEPARATOR, moment(key) if is_moment else cast(key, Text)]
        body = join(parts)
        whole = join([body, SEPARATOR, func.left(func.md5(body), CHECK_LENGTH)])
        encoded = func.encode(func.convert_to(whole, "UTF8"), "base64")
        return func.replace(encoded, "\n", "", type_=Text())

"""Connections: a page of rows, its edges, cursors, page information and count, as one JSON text.

Where page information is wanted, the inner select takes one row more than asked and numbers them; what the outer one
aggregates is at most the page. Nobody else pays for that: it is a fifth of the cost of a nested list.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    and_,
    cast,
    false,
    func,
    literal_column,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from muster.kit.views.page_arguments import PageShape
from muster.kit.views.paging import CHECK_LENGTH, LARGEST_SIZE, SEPARATOR, measure_of
from muster.kit.views.picks import Pick
from muster.kit.views.scope import RowCondition, Rows, Scope, Source, correlated
from muster.kit.views.view import View
from muster.kit.views.writing import constant, join, json_object, moment, or_null

Node = Callable[[Source, Sequence[Pick]], ColumnElement[str]]
"""Writes the picked fields of one row."""


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
        outer: Source | None,
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
        self.is_numbered = any(each.name == "pageInfo" for each in pick.picks)
        self.chosen, self.row, self.keys, ranks = self._rows(select(), beyond_cursor=False)
        self.measures = {measure_of(name): rank.label(measure_of(name)) for name, rank in ranks.items()}
        self.types = {column.key: column.type for column in (*self.row, *self.measures.values())}
        self.types |= {f"key{number}": key.type for number, key in enumerate(self.keys)} | {"rn": Integer()}
        self.inner = Rows(scope.name("page"), self.types)

    def text(self) -> ColumnElement[str]:
        """The connection as JSON text."""
        body = json_object((pick.key, self._part(pick)) for pick in self.pick.picks)
        # HAVING makes an aggregate of a page of which only constants are wanted.
        return select(body).select_from(self._page()).having(true()).scalar_subquery()

    def _part(self, pick: Pick) -> str | ColumnElement[str]:
        match pick.name:
            case "nodes":
                return self._listed(self.node(self.inner, pick.picks))
            case "edges":
                return self._listed(self._edge(pick))
            case "pageInfo":
                return self._page_info(pick)
            case "totalCount":
                counted = self._rows(select(func.count()), beyond_cursor=None)[0]
                return cast(correlated(counted, self.outer).scalar_subquery(), Text)
        return f'"{self.view.type_name()}Connection"'

    def _listed(self, element: ColumnElement[str]) -> ColumnElement[str]:
        listed: Any = func.string_agg(element, aggregate_order_by(constant(","), *self._ranks()))
        if self.is_numbered:
            listed = listed.filter(self._is_on_page())
        return join(["[", func.coalesce(listed, constant("")), "]"])

    def _ranks(self) -> list[ColumnElement[Any]]:
        """What the rows of the page stand in order by. Unnumbered ones come in that order, so PostgreSQL sorts nothing."""
        if self.is_numbered:
            return [self.inner.c.rn.desc() if self.shape.backwards else self.inner.c.rn]
        keys = (self.inner.c[f"key{number}"] for number in range(len(self.keys)))
        return [key.desc() if self.order.descending else key.asc() for key in keys]

    def _is_on_page(self) -> ColumnElement[bool]:
        number: ColumnElement[int] = self.inner.c.rn
        return number <= self.size

    def _edge(self, pick: Pick) -> ColumnElement[str]:
        return json_object((inner.key, self._edge_part(inner)) for inner in pick.picks)

    def _edge_part(self, pick: Pick) -> str | ColumnElement[str]:
        match pick.name:
            case "node":
                return self.node(self.inner, pick.picks)
            case "cursor":
                return join(['"', self._cursor([self.inner.c[f"key{n}"] for n in range(len(self.keys))]), '"'])
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
        """The cursor at one end of the page, computed once and not per row."""
        rank = self.inner.c.rn.desc() if last else self.inner.c.rn
        keys = []
        for number, key in enumerate(self.keys):
            values = func.array_agg(aggregate_order_by(self.inner.c[f"key{number}"], rank), type_=ARRAY(key.type))
            keys.append(values.filter(self._is_on_page())[1])
        return or_null(join(['"', self._cursor(keys), '"']))

    def _beyond(self) -> ColumnElement[bool]:
        """Whether rows lie on the other side of the cursor that the page starts from."""
        if not self.shape.cursor:
            return false()
        found = self._rows(select(true()), beyond_cursor=True)[0]
        return correlated(found, self.outer).exists()

    def _page(self) -> Subquery:
        """The rows that are aggregated, with the columns that were asked for until now."""
        keys = [f"key{number}" for number in range(len(self.keys))]
        wanted = [name for name in self.inner.c if name not in (*keys, "rn")]
        # The planner sees that no more rows are wanted than these, whatever size the one plan for all sizes is given.
        most = literal_column(str(LARGEST_SIZE + 1), Integer())
        chosen = (
            self.chosen.add_columns(
                *(self.measures[name] if name in self.measures else self.row[name] for name in wanted)
            )
            .add_columns(*(key.label(name) for name, key in zip(keys, self.keys, strict=True)))
            .order_by(*self._ordered(self.keys))
            .limit(most)
        )
        rows = Rows(self.scope.name("rows"), self.types)
        ordered = self._ordered(rows.c[name] for name in keys)
        page = select(*(rows.c[name].label(name) for name in (*wanted, *keys)))
        if self.is_numbered:
            number = func.row_number().over(order_by=ordered).label("rn")
            page = page.add_columns(number).limit(self.size + 1)
        else:
            # The order is said again, since PostgreSQL does not see through two selects that the rows are in it already.
            page = page.order_by(*ordered).limit(self.size)
        return page.select_from(correlated(chosen, self.outer).subquery(rows.name)).subquery(self.inner.name)

    def _ordered(self, keys: Iterable[ColumnElement[Any]]) -> list[ColumnElement[Any]]:
        return [key.desc() if self.order.descending != self.shape.backwards else key.asc() for key in keys]

    def _rows(self, statement: Select[Any], *, beyond_cursor: bool | None) -> Any:
        """`statement` over the rows of the list; with their columns, their order keys, and their rank by each filter.

        beyond_cursor: False for those after the cursor, True for the others, None for all.
        """
        source = self.scope.alias(self.view)
        row = source.c
        statement = statement.select_from(source)
        conditions = [self.chooses(row), *self.scope.visible(self.view, source, within_checked=self.within_checked)]
        ranks: dict[str, ColumnElement[float]] = {}
        for name in self.shape.filters:
            statement, condition, rank = self.scope.narrowed(statement, self.view, row, self.slot, name)
            conditions.append(condition)
            if rank is not None:
                ranks[name] = rank
        keys: list[ColumnElement[Any]] = [ranks[self.order.ranked_by]] if self.order.ranked_by else []
        keys += [row[name] for name in self.order.columns]
        if beyond_cursor is not None and self.shape.cursor:
            conditions.append(self._compare_with_cursor(keys, beyond=beyond_cursor))
        return statement.where(and_(*conditions)), row, keys, ranks

    def _compare_with_cursor(self, keys: Sequence[ColumnElement[Any]], *, beyond: bool) -> ColumnElement[bool]:
        marks = tuple_(*(self.scope.bind(self.slot, f"cursor_{n}", key.type) for n, key in enumerate(keys)))
        ascends = self.order.descending == self.shape.backwards
        place = tuple_(*keys)
        if beyond:
            return place <= marks if ascends else place >= marks
        return place > marks if ascends else place < marks

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

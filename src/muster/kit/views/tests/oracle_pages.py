"""The part of the oracle that pages: plain lists, sorted, filtered and cut in Python."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from muster.kit.views.tests.oracle_cursors import ORDERS, Key, decode_cursor, encode_cursor, is_beyond
from muster.kit.views.tests.oracle_events import crowd
from muster.kit.views.tests.oracle_filters import around, filters_of, matches
from muster.kit.views.tests.oracle_lists import Connection, List
from muster.kit.views.tests.oracle_world import Row, World


@dataclass(frozen=True)
class Pages:
    """Pages of lists. held: tags and categories of each event, by the filter that asks for them."""

    world: World
    held: dict[str, dict[UUID, list[str]]]

    def cursors(self, list_: List, given: dict[str, Any]) -> list[str]:
        """The cursors of every row of a list, in no order."""
        return [self._cursor(list_, given)(row) for row in self._ordered(list_, given)]

    def page(self, list_: List, given: dict[str, Any]) -> Connection:
        ordered, key, cursor = self._ordered(list_, given), self._key(list_, given), self._cursor(list_, given)
        before, place = given.get("before"), given.get("after") or given.get("before")
        mark = decode_cursor(place) if place else None
        ascends = self._descends(list_, given) == bool(before)
        beyond = [row for row in ordered if mark and is_beyond(key(row), mark, ascends=ascends)]
        left = [row for row in ordered if row not in beyond]
        backwards = given.get("last") is not None
        size = given.get("last") if backwards else given.get("first")
        size = 20 if size is None else size
        page = (left[-size:] if size else []) if backwards else left[:size]
        sides = (len(left) > size, bool(beyond))
        return Connection(
            nodes=page,
            edges=[{"node": row, "cursor": cursor(row)} for row in page],
            pageInfo={
                "hasNextPage": sides[backwards],
                "hasPreviousPage": sides[not backwards],
                "startCursor": cursor(page[0]) if page else None,
                "endCursor": cursor(page[-1]) if page else None,
            },
            totalCount=len(ordered),
        )

    def _ordered(self, list_: List, given: dict[str, Any]) -> list[Row]:
        filters = filters_of(given)
        rows = [
            row for row in list_.rows if all(matches(self.world, self.held, row, *each) for each in filters.items())
        ]
        if near := filters.get("near"):
            rows = [{**row, "distance_km": around(self.world, near)[row["id"]]} for row in rows]
        return sorted(rows, key=self._key(list_, given), reverse=self._descends(list_, given))

    def _descends(self, list_: List, given: dict[str, Any]) -> bool:
        return ORDERS[list_.type][_order(list_, given)][1]

    def _cursor(self, list_: List, given: dict[str, Any]) -> Callable[[Row], str]:
        key = self._key(list_, given)
        order, filters = _order(list_, given), filters_of(given)
        return lambda row: encode_cursor(list_.name, order, {**list_.chosen, **filters}, key(row))

    def _key(self, list_: List, given: dict[str, Any]) -> Callable[[Row], Key]:
        """What the order sorts by."""
        columns = ORDERS[list_.type][_order(list_, given)][0]
        ranks = self.world.ranks.get(filters_of(given).get("text", ""), {})
        own: dict[str, Callable[[Row], Any]] = {"rank": lambda row: ranks[row["id"]], "crowd": crowd}
        return lambda row: tuple(own[name](row) if name in own else row[name] for name in columns)


def _order(list_: List, given: dict[str, Any]) -> str:
    return given.get("order") or next(iter(ORDERS[list_.type]))

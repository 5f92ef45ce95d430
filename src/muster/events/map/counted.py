"""Tiles that hold much and are asked for whole: put together from what is counted beforehand (`tallies/`, decision 0032).

What everybody finds is counted; to it comes what only the viewer sees, which is little: they are in it.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Numeric,
    Select,
    Uuid,
    and_,
    any_,
    cast,
    func,
    literal_column,
    not_,
    select,
    union_all,
)

from muster.events.map.grid import FINEST
from muster.events.predicates import is_to_come, takes_place
from muster.events.tables import EventMember
from muster.events.tallies.queries import LEVELS, not_folded, over_since, stands_on_map
from muster.events.tallies.tables import MapCount
from muster.events.views import EventView
from muster.kit.db.tables import once_more
from muster.kit.views.page_arguments import PageShape
from muster.kit.views.picks import SlotValues
from muster.kit.views.scope import Scope

_NUMBER = BigInteger()
_NONE, _ONE = (literal_column(number, Integer()) for number in ("0", "1"))


def level_of(zoom: int) -> int | None:
    """The level of counts that squares of a zoom are put together from; None where they are too small for any."""
    return min((level for level in LEVELS if level >= zoom), default=None)


def is_counted_beforehand(slot: SlotValues) -> bool:
    """Whether what a tile holds is known by counts: it is coarse enough, and nothing narrows it."""
    return slot.values["level"] is not None and isinstance(slot.shape, PageShape) and not slot.shape.filters


def counted_squares(scope: Scope, slot: int) -> Select[Any]:
    """The same as `squares` of a tile without filters, whatever the number of its events."""
    first, after, shift = (scope.bind(slot, name, _NUMBER) for name in ("first", "after", "shift"))
    level = cast(scope.bind(slot, "level", _NUMBER), Integer())
    digits = 2 * (FINEST - level)
    count = once_more(MapCount)
    counted: Select[Any] = select(
        (count.cell.op(">>")(cast(shift, Integer()) - digits)).label("square"),
        count.events.label("events"),
        count.sum_x.label("sum_x"),
        count.sum_y.label("sum_y"),
    ).where(count.level == level, count.cell >= first.op(">>")(digits), count.cell < after.op(">>")(digits))
    # Behind OFFSET the planner does not look for these few among all events of the tile.
    few = (each.offset(_NONE) for each in (not_folded(), *over_since(scope.viewer.now), _seen_besides(scope)))
    single: Any = union_all(*few).subquery(scope.name("single"))
    singly = select(
        single.c.map_cell.op(">>")(cast(shift, Integer())),
        cast(single.c.sign, _NUMBER),
        single.c.map_x * cast(single.c.sign, _NUMBER),
        single.c.map_y * cast(single.c.sign, _NUMBER),
    ).where(single.c.map_cell >= first, single.c.map_cell < after)
    parts = union_all(counted, singly).subquery(scope.name("parts"))
    events = func.sum(parts.c.events)
    summed = (
        select(
            parts.c.square,
            cast(events, _NUMBER).label("count"),
            *(
                cast(func.sum(parts.c[total], type_=Numeric()) / events, _NUMBER).label(name)
                for total, name in (("sum_x", "x"), ("sum_y", "y"))
            ),
        )
        .group_by(parts.c.square)
        .having(events > 0)
        .subquery(scope.name("summed"))
    )
    return select(summed, _only_one(scope, summed, cast(shift, Integer())).label("id"))


def _seen_besides(scope: Scope) -> Select[Any]:
    """The events on the map that the viewer sees, and not everybody: the viewer is in each."""
    source = scope.alias(EventView)
    row: Any = source.c
    mine = once_more(EventMember)
    own = select(mine.event_id).where(mine.user_id == scope.viewer.user_id).scalar_subquery()
    return (
        select(row.map_cell, row.map_x, row.map_y, _ONE.label("sign"))
        .select_from(source)
        .where(
            row.id == any_(func.array(own, type_=ARRAY(Uuid()))),
            row.map_cell.is_not(None),
            not_(stands_on_map(row)),
            *_to_come(scope, source),
        )
    )


def _only_one(scope: Scope, square: Any, shift: ColumnElement[int]) -> ColumnElement[Any]:
    """The event of a square that holds one; of others null."""
    source = scope.alias(EventView)
    row: Any = source.c
    number = square.c.square
    return (
        select(row.id)
        .where(
            square.c.count == _ONE,
            and_(row.map_cell >= number.op("<<")(shift), row.map_cell < (number + _ONE).op("<<")(shift)),
            *_to_come(scope, source),
        )
        .limit(1)
        .scalar_subquery()
    )


def _to_come(scope: Scope, source: Any) -> list[ColumnElement[bool]]:
    """What is asked of the events of a tile that nothing narrows."""
    row: Any = source.c
    return [*scope.visible(EventView, source), takes_place(row, scope.viewer), is_to_come(row, scope.viewer)]

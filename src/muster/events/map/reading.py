"""What of the map is read: the events of a tile, drawn together in squares of a finer grid."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, Text, and_, cast, func, literal_column, select

from muster.events.map.grid import Tile
from muster.events.predicates import is_to_come, takes_place
from muster.events.views import EventView
from muster.kit.caller import Gate, Origin, anyone
from muster.kit.commands.context import Services
from muster.kit.views.compiler import Compiler
from muster.kit.views.page_arguments import PageShape, read_page
from muster.kit.views.picks import SlotValues
from muster.kit.views.plans import Plan, PlanCache, compile_plan, run_plan
from muster.kit.views.scope import Scope
from muster.kit.views.writing import moment

FINER = 4
"""By how many zooms the squares of a tile are finer than the tile: it has 16 by 16 of them at most."""
_NUMBER = BigInteger()
_WHEN = ("startsAfter", "startsBefore")
_PLANS = PlanCache()


class Spot(msgspec.Struct, array_like=True, frozen=True):
    """One square with something in it.

    count: how many events. x, y: their middle, in cells of the finest zoom. id, title, starts_at: of the only one.
    """

    count: int
    x: int
    y: int
    id: str | None
    title: str | None
    starts_at: str | None


def read_filters(filters: dict[str, object], *, from_text: bool) -> SlotValues:
    """The filters of a map, which are those of lists of events. Raises Invalid."""
    return read_page(EventView, "map", {"filter": filters} if filters else {}, {}, from_text=from_text)


async def spots_of(services: Services, origin: Origin, tile: Tile, filters: SlotValues) -> list[Spot]:
    """What stands in a tile, as the caller sees it. Raises what the gate refuses with."""
    slots = [tile_slot(tile, filters)]
    plan = tile_plan(services.gate, slots)
    caller, bodies = await run_plan(services.database, plan, origin, slots)
    services.gate.admit(origin.claim, caller, anyone, None)
    return msgspec.json.decode(bodies[0], type=list[Spot])


def tile_slot(tile: Tile, filters: SlotValues) -> SlotValues:
    """The values of the statement that reads a tile."""
    first, after = tile.cells
    values = {**filters.values, "first": first, "after": after, "shift": max(tile.shift - 2 * FINER, 0)}
    return SlotValues(values, filters.shape)


def tile_plan(gate: Gate, slots: list[SlotValues]) -> Plan:
    """The statement that reads a tile with such filters."""
    return _PLANS.get((gate, slots[0].shape), lambda: compile_plan(gate, slots, [lambda compiler: _spots(compiler, 0)]))


def _spots(compiler: Compiler, slot: int) -> ColumnElement[str]:
    """The squares of a tile that hold anything, as a JSON text of `Spot`s."""
    found = squares(compiler, slot, _inside_tile).subquery(compiler.name("squares"))
    only = compiler.alias(EventView)
    listed = select(
        func.json_agg(
            func.json_build_array(
                found.c.count, found.c.x, found.c.y, only.c.id, only.c.title, moment(only.c.starts_at)
            )
        )
    ).select_from(found.outerjoin(only, and_(found.c.count == 1, only.c.id == found.c.id)))
    return func.coalesce(cast(listed.scalar_subquery(), Text), literal_column("'[]'", Text()))


def _inside_tile(scope: Scope, slot: int, row: Any) -> Sequence[ColumnElement[bool]]:
    return row.map_cell >= scope.bind(slot, "first", _NUMBER), row.map_cell < scope.bind(slot, "after", _NUMBER)


def squares(scope: Scope, slot: int, inside: Any) -> Select[Any]:
    """The events that the viewer sees, the filters leave and `inside` holds, drawn together by squares.

    The slot holds how many digits finer than the squares a cell is (`shift`). Each square comes with its number, any of
    its events, how many there are, and their middle.
    """
    source = scope.alias(EventView)
    row: Any = source.c
    shape = scope.slots[slot].shape
    if not isinstance(shape, PageShape):
        raise TypeError("squares need the filters of a list")
    square = row.map_cell.op(">>")(cast(scope.bind(slot, "shift", _NUMBER), Integer()))
    found = select(
        square.label("square"),
        func.any_value(row.id, type_=row.id.type).label("id"),
        func.count().label("count"),
        cast(func.avg(row.map_x), _NUMBER).label("x"),
        cast(func.avg(row.map_y), _NUMBER).label("y"),
    ).select_from(source)
    conditions = [*inside(scope, slot, row), *scope.visible(EventView, source)]
    for name in shape.filters:
        found, condition, _ = scope.narrowed(found, EventView, row, slot, name)
        conditions.append(condition)
    if "status" not in shape.filters:
        conditions.append(takes_place(row, scope.viewer))
    if not set(_WHEN) & set(shape.filters):
        conditions.append(is_to_come(row, scope.viewer))
    return found.where(and_(*conditions)).group_by(literal_column("1"))

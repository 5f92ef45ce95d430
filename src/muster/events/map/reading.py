"""What of the map is read: the events of a tile, drawn together in squares of a finer grid."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, Text, and_, case, cast, func, literal_column, select

from muster.events.map.counted import counted_squares, is_counted_beforehand, level_of
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
    id: str | None = None
    title: str | None = None
    starts_at: str | None = None


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
    shift = max(tile.shift - 2 * FINER, 0)
    values = {**filters.values, "first": first, "after": after, "shift": shift, "level": level_of(tile.zoom + FINER)}
    return SlotValues(values, filters.shape)


def tile_plan(gate: Gate, slots: list[SlotValues]) -> Plan:
    """The statement that reads a tile with such filters."""
    is_counted = is_counted_beforehand(slots[0])

    def body(compiler: Compiler) -> ColumnElement[str]:
        return spots_text(compiler, counted_squares(compiler, 0) if is_counted else squares(compiler, 0, inside_tile))

    return _PLANS.get((gate, slots[0].shape, is_counted), lambda: compile_plan(gate, slots, [body]))


def spots_text(compiler: Compiler, drawn: Select[Any]) -> ColumnElement[str]:
    """The squares of a tile that hold anything, as a JSON text of `Spot`s."""
    found = drawn.subquery(compiler.name("squares"))
    only = compiler.alias(EventView)
    place = (found.c.count, found.c.x, found.c.y)
    told = func.json_build_array(*place, only.c.id, only.c.title, moment(only.c.starts_at))
    # Looked up for each square of one: as a join PostgreSQL would read all events for it.
    alone = select(told).where(only.c.id == found.c.id).correlate(found).scalar_subquery()
    spot = case((found.c.count == 1, alone), else_=func.json_build_array(*place))
    listed = select(func.json_agg(spot)).select_from(found)
    return func.coalesce(cast(listed.scalar_subquery(), Text), literal_column("'[]'", Text()))


def inside_tile(scope: Scope, slot: int, row: Any) -> Sequence[ColumnElement[bool]]:
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
    return found.where(and_(*conditions, *usual(scope, slot, row))).group_by(literal_column("1"))


def usual(scope: Scope, slot: int, row: Any) -> Sequence[ColumnElement[bool]]:
    """What holds of events on the map where no filter says otherwise: they take place, and are still to end."""
    shape = scope.slots[slot].shape
    chosen = set(shape.filters) if isinstance(shape, PageShape) else set()
    conditions = []
    if "status" not in chosen:
        conditions.append(takes_place(row, scope.viewer))
    if not set(_WHEN) & chosen:
        conditions.append(is_to_come(row, scope.viewer))
    return conditions

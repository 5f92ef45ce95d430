"""The grid of the map: the world as a square in Web Mercator, halved again and again.

A tile is a square of the grid: at zoom 0 the whole world, at zoom z one of 2^z by 2^z, counted from north-west. An event
lies in a cell of the finest zoom, whose number in Z-order `map_cell` holds: the digits of its column and row in turns. So
every tile is one range of cells, and row security lets an index answer for a range of whole numbers.
"""

from dataclasses import dataclass
from math import asinh, atan, degrees, pi, radians, sinh, tan

FINEST = 28
"""The zoom of cells; one is 15 cm wide at the equator."""
MOST = 22
"""The closest zoom that is shown."""
WIDE = 1 << FINEST
"""How many cells there are from west to east, and from north to south."""
NORTHERNMOST = 85.0511287798066
"""Degrees; the square ends there, and what lies beyond is drawn at its edge."""


@dataclass(frozen=True)
class Tile:
    """A square of the grid."""

    zoom: int
    x: int
    y: int

    @property
    def shift(self) -> int:
        """By how many digits a cell's number is longer than that of the tile."""
        return 2 * (FINEST - self.zoom)

    @property
    def cells(self) -> tuple[int, int]:
        """The first cell of the tile, and the first one after it."""
        first = interleaved(self.x, self.y)
        return first << self.shift, (first + 1) << self.shift


def interleaved(x: int, y: int) -> int:
    """The number in Z-order of a column and a row."""
    return sum(((x >> at & 1) | (y >> at & 1) << 1) << 2 * at for at in range(FINEST))


def column_of(longitude: float) -> int:
    """The column of cells that a longitude in degrees lies in."""
    return _within(longitude / 360 + 0.5)


def row_of(latitude: float) -> int:
    """The row of cells that a latitude in degrees lies in."""
    bounded = max(-NORTHERNMOST, min(NORTHERNMOST, latitude))
    return _within(0.5 - asinh(tan(radians(bounded))) / (2 * pi))


def longitude_of(x: float) -> float:
    """The longitude in degrees of a column, or of a place between two."""
    return x / WIDE * 360 - 180


def latitude_of(y: float) -> float:
    """The latitude in degrees of a row, or of a place between two."""
    return degrees(atan(sinh(pi * (1 - 2 * y / WIDE))))


def _within(share: float) -> int:
    return max(0, min(WIDE - 1, int(share * WIDE)))

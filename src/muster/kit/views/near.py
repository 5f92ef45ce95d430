"""What is near: a circle on the Earth as a filter of lists, found through an index of latitude and longitude.

The index is asked for a box that holds the circle, by comparisons that row security lets an index answer; then the
distance of what lies in the box is computed (`kilometres_between`, made by a migration).
"""

from collections.abc import Callable
from math import asin, atan, cos, degrees, radians, sin, tan
from typing import Annotated, Any

import msgspec
from sqlalchemy import ARRAY, ColumnElement, Double, and_, func
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import Grouping
from sqlalchemy.types import TypeEngine

from muster.kit.arguments import Input
from muster.kit.views.paging import Filter, Order

_Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90, examples=[50.06], description="Of its middle, degrees north.")]
_Longitude = Annotated[
    float, msgspec.Meta(ge=-180, le=180, examples=[19.94], description="Of its middle, degrees east.")
]
# The largest is more than half of the equator, and so holds the whole Earth.
Radius = Annotated[float, msgspec.Meta(gt=0, le=20_040, examples=[25], description="Kilometres.")]

# WGS 84: the shorter half axis in kilometres, and what its flattening makes of the tangent of a latitude seen from the
# middle of the Earth. From there a degree of latitude is at most 1.0068 degrees by the plumb line.
_POLAR_RADIUS, _FLATTER, _STEEPEST = 6356.752, 0.99330562, 1.0068
# Kilometres: more than rounding to whole metres takes away.
_MARGIN = 0.001
_NUMBERS: TypeEngine[Any] = ARRAY(Double())


class Near(Input):
    """A circle on the Earth: its middle in degrees, and its radius in kilometres."""

    latitude: _Latitude
    longitude: _Longitude
    radius_km: Radius


def circle(given: Near) -> list[float]:
    """The numbers of a circle that a statement compares with: latitude, longitude, radius, then its box."""
    return [given.latitude, given.longitude, given.radius_km, *box_around(given)]


def box_around(given: Near) -> tuple[float, float, float, float]:
    """The south, north, west and east that hold a circle, in degrees.

    A box goes all around the Earth where the circle holds a pole or crosses the date line.
    """
    angle = (given.radius_km + _MARGIN) / _POLAR_RADIUS
    high = degrees(angle) * _STEEPEST
    south, north = given.latitude - high, given.latitude + high
    up = abs(atan(_FLATTER * tan(radians(given.latitude))))
    if up + angle >= radians(90):
        return south, north, -180.0, 180.0
    # Where the circle touches a meridian: the right angle of a spherical triangle lies there.
    wide = degrees(asin(min(1.0, sin(angle) / cos(up))))
    west, east = given.longitude - wide, given.longitude + wide
    return (south, north, west, east) if west >= -180 and east <= 180 else (south, north, -180.0, 180.0)


def near(
    latitude: InstrumentedAttribute[Any],
    longitude: InstrumentedAttribute[Any],
    *,
    type: Any = Near,
    meaning: str = "Within this circle; what has no point is nowhere near.",
    bound: Callable[[Any], object] = circle,
    bound_type: TypeEngine[Any] = _NUMBERS,
    numbers_of: Callable[[Any], Any] = Grouping,
) -> Filter:
    """Rows whose point lies within a circle; rows without a point do not. An order may rank by their distance.

    Needs an index that begins with the tenant and these two columns.
    type, meaning, bound, bound_type: as in `Filter`. numbers_of: what `circle` gives, in SQL, of the bound value.
    """

    def distance(row: Any, value: Any) -> ColumnElement[float]:
        numbers = numbers_of(value)
        return func.kilometres_between(numbers[1], numbers[2], row[latitude.key], row[longitude.key], type_=Double())

    def inside(row: Any, value: Any) -> ColumnElement[bool]:
        numbers = numbers_of(value)
        return and_(
            row[latitude.key] >= numbers[4],
            row[latitude.key] <= numbers[5],
            row[longitude.key] >= numbers[6],
            row[longitude.key] <= numbers[7],
            distance(row, value) <= numbers[3],
        )

    return Filter(
        type,
        meaning,
        inside,
        bound_type=bound_type,
        bound=bound,
        rank=distance,
        tells_of=(latitude.key, longitude.key),
    )


def nearest(filter_name: str) -> Order:
    """The least distance first, as the filter measures it."""
    return Order(("id",), ranked_by=filter_name)

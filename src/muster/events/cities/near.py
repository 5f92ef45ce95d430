"""What is near a city, as a filter of lists."""

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta
from sqlalchemy import ARRAY, Double, Text, Uuid, cast, func
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.elements import Grouping

from muster.kit.arguments import Input
from muster.kit.views.near import Radius, near
from muster.kit.views.paging import Filter

CityId = Annotated[UUID, Meta(description="The id of a city, as `cities` tells it.")]


class NearCity(Input):
    """A circle around the middle of a city."""

    city: CityId
    radius_km: Radius


def near_city(latitude: InstrumentedAttribute[Any], longitude: InstrumentedAttribute[Any]) -> Filter:
    """Rows whose point lies within a circle around a city; none where there is no such city."""
    return near(
        latitude,
        longitude,
        type=NearCity,
        meaning="Within this circle around a city; what has no point is nowhere near.",
        bound=lambda given: [str(given.city), str(given.radius_km)],
        bound_type=ARRAY(Text()),
        numbers_of=_numbers,
    )


def _numbers(value: Any) -> Any:
    """The numbers of the circle. A sub-select, so that they are worked out once and not for each row."""
    given = Grouping(value)
    return Grouping(
        func.circle_around_city(cast(given[1], Uuid()), cast(given[2], Double()), type_=ARRAY(Double()))
        .select()
        .scalar_subquery()
    )

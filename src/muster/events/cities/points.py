"""Where an event is of which only the city is known: in the middle of that."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import ARRAY, BigInteger, Double, Text, bindparam, column, func, select

from muster.events.cities.naming import country_code
from muster.kit.commands.context import Ctx
from muster.kit.db.statements import Row, Statement


class Named(NamedTuple):
    """A city as somebody wrote it. country: its code or name."""

    city: str
    country: str


class Place(msgspec.Struct, frozen=True):
    """Where an event is. has_city_point: its point is only the middle of its city."""

    city: str | None
    country: str | None
    latitude: float | None
    longitude: float | None
    has_city_point: bool = False

    @property
    def named(self) -> Named | None:
        """The city that is to give the point: nobody said another, and the city is known."""
        said = (self.latitude, self.longitude) != (None, None) and not self.has_city_point
        return None if said or self.city is None or self.country is None else Named(self.city, self.country)

    def at(self, point: "Point | None") -> "Place":
        """The same place where its city has this point."""
        if self.named is None and not self.has_city_point:
            return self
        found = Point(None, None) if point is None else point
        return msgspec.structs.replace(self, **found._asdict(), has_city_point=point is not None)


class Point(NamedTuple):
    """Degrees north and east."""

    latitude: float | None
    longitude: float | None


class _Found(Row):
    number: int
    latitude: float
    longitude: float


_NAMED = func.cities_named(bindparam("names", type_=ARRAY(Text())), bindparam("countries", type_=ARRAY(Text())))
_FIND = Statement(
    _Found,
    select(
        _NAMED.table_valued(
            column("number", BigInteger()), column("latitude", Double()), column("longitude", Double())
        ).alias("found")
    ),
)


async def points_of(ctx: Ctx, named: Collection[Named]) -> Mapping[Named, Point]:
    """The points of the cities that are known; of several of a name within a country the largest. In one statement."""
    known = [(each, code) for each in dict.fromkeys(named) if (code := country_code(each.country)) is not None]
    if not known:
        return {}
    names, countries = [each.city for each, _ in known], [code for _, code in known]
    found = await ctx.db.all(_FIND, names=names, countries=countries)
    return {known[each.number - 1][0]: Point(each.latitude, each.longitude) for each in found}


def place_of(source: object, **changes: Any) -> Place:
    """The place in anything that has its fields, with changes of them. A point among these is one that somebody said."""
    names = [name for name in Place.__struct_fields__ if hasattr(source, name)]
    said = {"has_city_point": False} if changes.keys() & {"latitude", "longitude"} else {}
    return Place(**{name: getattr(source, name) for name in names} | changes | said)


async def placed(ctx: Ctx, source: object, **changes: Any) -> Place:
    """The same, with the point of its city where nobody said another."""
    place = place_of(source, **changes)
    named = place.named
    return place.at(None if named is None else (await points_of(ctx, [named])).get(named))

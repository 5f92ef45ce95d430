"""What can be read of cities."""

from uuid import UUID

from sqlalchemy import ColumnElement, true

from muster.events.cities.tables import City
from muster.kit.caller import anyone
from muster.kit.views.paging import among, best_match, descending, finder
from muster.kit.views.query import query
from muster.kit.views.view import Page, View, Viewer


def to_everybody(_city: type[City], _viewer: Viewer) -> ColumnElement[bool]:
    """Cities are no secret."""
    return true()


class CityView(View, of=City):
    """A city. The data is that of GeoNames (https://www.geonames.org), under CC BY 4.0, which asks to be named.

    name: as it is called in English. country: by ISO 3166. population: how many live there; 0 when nobody said.
    latitude: of its middle, degrees north. longitude: of its middle, degrees east. timezone: by the IANA; null when nobody
    said.
    """

    visible = to_everybody
    filters = {"text": finder("finders.cities_by_text"), "country": among(City.country)}
    orders = {"POPULATION": descending(City.population), "RELEVANCE": best_match("text")}
    brief = ("id", "name")
    example = {
        "name": "Krak\N{LATIN SMALL LETTER O WITH ACUTE}w",
        "country": "PL",
        "population": 800653,
        "latitude": 50.06143,
        "longitude": 19.93658,
        "timezone": "Europe/Warsaw",
    }

    id: UUID
    name: str
    country: str
    population: int
    latitude: float
    longitude: float
    timezone: str | None


@query("GET /cities", "cities", allow=anyone, stale=True)
def cities() -> Page[CityView]:
    """Cities of the world, the largest first. `text` finds them by the beginnings of their names, in any language."""


@query("GET /cities/{id}", "city", allow=anyone, stale=True)
def city(id: UUID) -> CityView | None:
    """One city, whose id filters take."""

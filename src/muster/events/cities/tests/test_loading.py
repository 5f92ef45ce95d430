"""The bundled cities, and what countries are called."""

import psycopg
import pytest

from muster.events.cities.loading import bundled, load_cities, put_cities
from muster.events.cities.naming import country_code
from muster.kit.db.migrate import Urls


def test_the_whole_world_is_brought_along_once(urls: Urls) -> None:
    known = bundled()
    assert len(known) > 30_000
    assert len({each.id for each in known}) == len(known)
    with psycopg.connect(urls.owner) as connection:
        put_cities(connection, known[:9], "an older edition")
    load_cities(urls.owner)
    load_cities(urls.owner)
    with psycopg.connect(urls.owner) as connection:
        counted = connection.execute("select count(*), count(*) filter (where name = 'Longyearbyen') from cities")
        assert counted.fetchone() == (len(known), sum(each.name == "Longyearbyen" for each in known))


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("pl", "PL"),
        ("Poland", "PL"),
        ("Polska", "PL"),
        ("U.S.A.", "US"),
        ("Österreich", "AT"),
        ("oesterreich", None),
        ("", None),
    ],
)
def test_a_country_is_known_by_its_names(said: str, code: str | None) -> None:
    assert country_code(said) == code

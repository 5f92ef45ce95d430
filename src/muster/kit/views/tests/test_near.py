"""Distances and boxes on the Earth, against a library that knows it better."""

import random
from itertools import product
from math import inf

import psycopg
import pytest
from geographiclib.geodesic import Geodesic  # type: ignore[import-untyped]  # it has no types

from muster.kit.db.migrate import Urls
from muster.kit.views.near import Near, box_around

_DISTANCES = """
select kilometres_between(a, b, c, d)
  from unnest(%s::float8[], %s::float8[], %s::float8[], %s::float8[]) as pair(a, b, c, d)
"""
_EDGES = ((-90.0, -89.9999999, -45.0, 0.0, 5e-324, 1e-300, 1e-7, 89.9, 90.0), (-180.0, -1e-9, 0.0, 5e-324, 90.0, 180.0))

Point = tuple[float, float]


def _anywhere(chance: random.Random) -> Point:
    return chance.uniform(-90, 90), chance.uniform(-180, 180)


def _beside(chance: random.Random, point: Point, degrees: float) -> Point:
    latitude = max(-90.0, min(90.0, point[0] + chance.uniform(-degrees, degrees)))
    longitude = (point[1] + chance.uniform(-degrees, degrees) + 180) % 360 - 180
    return latitude, longitude


def _kilometres(urls: Urls, pairs: list[tuple[Point, Point]]) -> list[float]:
    """As the database has them."""
    numbers = [[one[0], one[1], other[0], other[1]] for one, other in pairs]
    with psycopg.connect(urls.app) as connection:
        columns = [[row[place] for row in numbers] for place in range(4)]
        return [float(row[0]) for row in connection.execute(_DISTANCES, columns).fetchall()]


def _true(one: Point, other: Point) -> float:
    return float(Geodesic.WGS84.Inverse(*one, *other)["s12"]) / 1000


def test_distances_are_those_of_wgs_84(module_urls: Urls) -> None:
    chance = random.Random(3)
    edges = list(product(*_EDGES))
    pairs = [(chance.choice(edges), chance.choice(edges)) for _ in range(300)]
    pairs += [(_anywhere(chance), _anywhere(chance)) for _ in range(300)]
    for degrees in (1e-5, 1e-3, 0.1, 5, 60):
        points = [_anywhere(chance) for _ in range(100)]
        pairs += [(point, _beside(chance, point, degrees)) for point in points]
        pairs += [(point, _beside(chance, (-point[0], point[1] + 180), degrees)) for point in points]
    for (one, other), found in zip(pairs, _kilometres(module_urls, pairs), strict=True):
        # Half a metre of it is rounding to whole ones, and centimetres of degrees.
        assert found == pytest.approx(_true(one, other), rel=0.005, abs=0.001), (one, other)


def test_a_box_holds_its_circle(module_urls: Urls) -> None:
    chance = random.Random(4)
    middles = [_anywhere(chance) for _ in range(150)] + list(product(*_EDGES))
    tried = [(middle, chance.choice((0.01, 1.0, 30.0, 900.0, 5000.0, 15000.0))) for middle in middles]
    pairs, circles = [], []
    for middle, radius in tried:
        for _ in range(20):
            pairs.append((middle, _beside(chance, middle, radius / 70)))
            circles.append(Near(latitude=middle[0], longitude=middle[1], radius_km=radius))
    inside = 0
    for (_, point), circle, distance in zip(pairs, circles, _kilometres(module_urls, pairs), strict=True):
        south, north, west, east = box_around(circle)
        if distance <= circle.radius_km:
            inside += 1
            assert south <= point[0] <= north, (circle, point)
            assert west <= point[1] <= east, (circle, point)
    assert inside > len(pairs) / 10


def test_a_small_box_is_small() -> None:
    """Else the index would be asked for half of the table."""
    south, north, west, east = box_around(Near(latitude=60.0, longitude=20.0, radius_km=10.0))
    assert (north - south, east - west) == pytest.approx((0.18, 0.36), rel=0.02)
    assert -inf < south < 60 < north < inf

"""Cities: found by any of their names, near which events are found, and where events stand that name no point."""

from math import isclose
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio

from muster.events.cities.loading import Place, put_cities
from muster.kit.ids import new_id
from muster.kit.views.near import Near, circle
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.town import Town, make_event

pytestmark = pytest.mark.asyncio(loop_scope="module")

KRAKOW = Place(3094802, "Kraków", "PL", 800_653, 50.06143, 19.93658, "Europe/Warsaw", ["Krakow", "Cracow", "Краков"])
CITIES = (
    KRAKOW,
    Place(3093133, "Łódź", "PL", 639_890, 51.77058, 19.47395, "Europe/Warsaw", ["Lodz", "Lodsch"]),
    Place(2867714, "Munich", "DE", 1_505_005, 48.13743, 11.57549, "Europe/Berlin", ["München", "Monachium"]),
    Place(2988507, "Paris", "FR", 2_138_551, 48.85341, 2.3488, "Europe/Paris", ["Paryż"]),
    Place(4717560, "Paris", "US", 24_782, 33.66094, -95.55551, "America/Chicago", []),
    Place(2633352, "York", "GB", 156_135, 53.95763, -1.08271, "Europe/London", []),
    Place(5128581, "New York City", "US", 8_804_190, 40.71427, -74.00597, "America/New_York", ["New York"]),
    Place(2198148, "Suva", "FJ", 93_970, -18.14161, 178.44149, "Pacific/Fiji", []),
    Place(2729907, "Longyearbyen", "SJ", 2_060, 78.22334, 15.64689, "Arctic/Longyearbyen", []),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_town: Town) -> Town:
    """A town in a world of a few cities."""
    with psycopg.connect(module_town.service.urls.owner) as connection:
        put_cities(connection, CITIES, "a few")
    return module_town


async def _names(client: Client, text: str, way: Way = Way.REST, **filters: Any) -> list[str]:
    found = (await client.call("cities", way=way, filter={"text": text, **filters}, order="RELEVANCE")).ok()
    return [each["name"] for each in (found.get("items") or found.get("nodes") or [])]


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("krak", ["Kraków"]),
        ("КРАКОВ", ["Kraków"]),  # noqa: RUF001 - in Cyrillic letters
        ("lodz", ["Łódź"]),
        ("munchen", ["Munich"]),
        ("Monach", ["Munich"]),
        ("york", ["York", "New York City"]),
        ("new yo", ["New York City"]),
        ("paris", ["Paris", "Paris"]),
        ("nowhere at all", []),
        ("'; --", []),
    ],
)
async def test_a_city_is_found_by_the_beginning_of_any_of_its_names(
    town: Town, way: Way, text: str, names: list[str]
) -> None:
    assert await _names(town.client(Standing.ANONYMOUS), text, way) == names


async def test_the_largest_city_comes_first_and_a_country_narrows(town: Town) -> None:
    visitor = town.client(Standing.ANONYMOUS)
    assert (await visitor.call("cities", first=1)).ok()["items"][0]["name"] == "New York City"
    found = (await visitor.call("cities", filter={"text": "paris", "country": ["US"]})).ok()["items"]
    assert [(each["name"], each["country"], each["latitude"]) for each in found] == [("Paris", "US", 33.66094)]
    assert (await visitor.call("city", id=found[0]["id"])).ok()["timezone"] == "America/Chicago"
    assert (await visitor.call("city", id=new_id())).missing


async def _near(client: Client, city: UUID, radius: float, way: Way = Way.REST) -> set[str]:
    found = (await client.call("events", way=way, filter={"nearCity": {"city": city, "radiusKm": radius}})).ok()
    return {each["title"] for each in (found.get("items") or found.get("nodes") or [])}


async def test_an_event_that_names_its_city_alone_stands_in_its_middle(town: Town) -> None:
    owner, visitor = town.client(Standing.OWNER), town.client(Standing.ANONYMOUS)
    nowhere: dict[str, Any] = {
        "latitude": None,
        "longitude": None,
        "meetingKind": "ONSITE",
        "selfCheckInMetres": 10_000,
    }
    event_id = await make_event(owner, title="In Cracow", city="cracow", country="Polska", **nowhere)
    seen = (await visitor.call("event", id=event_id)).ok()
    assert (seen["latitude"], seen["longitude"], seen["isPointExact"]) == (50.06143, 19.93658, False)
    for way in Way:
        assert "In Cracow" in await _near(visitor, KRAKOW.id, 5, way)
    assert "In Cracow" not in await _near(visitor, CITIES[1].id, 5)
    assert await _near(visitor, new_id(), 20_040) == set()
    # Nobody proves to be there by being in town.
    there: dict[str, Any] = {"latitude": 50.06143, "longitude": 19.93658}
    assert (await owner.call("checkInMyself", eventId=event_id, **there)).code == "NOT_HERE"
    moved = (await owner.call("updateEvent", id=event_id, input={"city": "LODZ"})).ok()
    assert (moved["latitude"], moved["isPointExact"]) == (51.77058, False)
    own = {"latitude": 51.75, "longitude": 19.46}
    exact = (await owner.call("updateEvent", id=event_id, input=own)).ok()
    assert (exact["latitude"], exact["isPointExact"]) == (51.75, True)
    # A point that somebody gave stays, whatever the city is called.
    assert (await owner.call("updateEvent", id=event_id, input={"city": "Krakow"})).ok()["latitude"] == 51.75
    lost = await owner.call("updateEvent", id=event_id, input={"city": "Atlantis", "latitude": None, "longitude": None})
    assert lost.code == "VALIDATION_ERROR"
    again = {"latitude": None, "longitude": None}
    assert (await owner.call("updateEvent", id=event_id, input=again)).ok()["latitude"] == 50.06143


@pytest.mark.parametrize(
    ("city", "country"), [("Krakow", None), ("Krakow", "Germany"), ("Atlantis", "Poland"), ("Kra", "PL"), ("!", "PL")]
)
async def test_what_is_no_city_there_gives_no_point(town: Town, city: str, country: str | None) -> None:
    owner = town.client(Standing.OWNER)
    event_id = await make_event(owner, city=city, country=country, latitude=None, longitude=None)
    assert (await owner.call("event", id=event_id)).ok()["latitude"] is None


async def test_a_hidden_address_gives_no_more_than_the_city(town: Town) -> None:
    owner, visitor = town.client(Standing.OWNER), town.client(Standing.ANONYMOUS)
    hidden: dict[str, Any] = {"latitude": None, "longitude": None, "addressVisibility": "HIDDEN"}
    event_id = await make_event(owner, title="Secret", city="York", country="UK", address="Shambles 1", **hidden)
    seen = (await visitor.call("event", id=event_id)).ok()
    assert (seen["address"], seen["isPointExact"]) == (None, False)
    assert abs(seen["latitude"] - 53.95763) < 0.05
    assert "Shambles" not in str(seen)


@pytest.mark.parametrize(
    ("filters", "field"),
    [({"city": "krakow", "radiusKm": 5}, "nearCity.city"), ({"city": str(KRAKOW.id)}, "nearCity.radiusKm")],
)
async def test_a_circle_around_no_city_is_refused(town: Town, filters: dict[str, Any], field: str) -> None:
    refused = await town.client(Standing.ANONYMOUS).call("events", filter={"nearCity": filters})
    assert [each["path"] for each in refused.problem["errors"]] == [field]


@pytest.mark.parametrize("radius", [0.5, 50.0, 1_000.0, 9_000.0, 20_040.0])
async def test_the_circle_around_a_city_is_that_around_its_point(town: Town, radius: float) -> None:
    with psycopg.connect(town.service.urls.app) as connection:
        for each in CITIES:
            found = connection.execute("select circle_around_city(%s, %s)", [each.id, radius]).fetchone()
            assert found is not None
            wanted = circle(Near(each.latitude, each.longitude, radius))
            assert all(isclose(*pair, abs_tol=1e-9) for pair in zip(found[0], wanted, strict=True)), each.name

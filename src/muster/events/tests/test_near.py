"""Events by distance: what is near is found, nearest first; what the caller may not see stays where it is, unseen."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from muster.kit.db.migrate import Urls
from muster.testing.client import Client, Way
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process
from muster.testing.town import Town, make_event, settle

pytestmark = pytest.mark.asyncio(loop_scope="module")

WARSAW = {"latitude": 52.23, "longitude": 21.01}
PLACES: dict[str, tuple[float, float]] = {
    "Praga": (52.25, 21.05),
    "Krakow": (50.06, 19.94),
    "Suva": (-18.14, 178.44),
    "Taveuni": (-16.8, -179.99),
    "Pole": (90.0, 40.0),
    "Beyond the pole": (89.9, -140.0),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def places(module_urls: Urls) -> AsyncIterator[Town]:
    """A town whose own events lie in Warsaw, and events at places of the world."""
    async with serving_in_process(module_urls) as service:
        town = await settle(service)
        owner = town.client(Standing.OWNER)
        for title, (latitude, longitude) in PLACES.items():
            await make_event(owner, title=title, latitude=latitude, longitude=longitude)
        nowhere: dict[str, Any] = {"latitude": None, "longitude": None, "city": None}
        await make_event(owner, title="Online", meetingKind="ONLINE", **nowhere)
        yield town


async def _near(client: Client, radius: float, *, way: Way = Way.REST, **given: Any) -> list[dict[str, Any]]:
    middle = {name: given.pop(name, WARSAW[name]) for name in WARSAW}
    filters = {"near": {**middle, "radiusKm": radius}, **given.pop("filter", {})}
    answer = await client.call("events", way=way, filter=filters, order="DISTANCE", **given)
    found: list[dict[str, Any]] = answer.ok()["items"]
    return found


def _titles(found: list[dict[str, Any]]) -> list[str]:
    return [each["title"].removesuffix(" in main") for each in found]


@pytest.mark.parametrize("way", Way)
async def test_the_nearest_come_first_with_their_distance(places: Town, way: Way) -> None:
    found = await _near(places.client(Standing.ANONYMOUS), 300, way=way)
    assert _titles(found) == ["An evening", "Praga", "Krakow"]
    assert [each["distanceKm"] for each in found] == pytest.approx([3.4, 3.53, 252.3], rel=0.01)
    assert _titles(await _near(places.client(Standing.ANONYMOUS), 20_040, way=way))[:3] == _titles(found)
    assert _titles(await _near(places.client(Standing.ANONYMOUS), 0.001, way=way)) == []


@pytest.mark.parametrize(
    ("middle", "radius", "found"),
    [
        ({"latitude": -17.0, "longitude": 179.9}, 30, ["Taveuni"]),
        ({"latitude": -17.0, "longitude": -180.0}, 250, ["Taveuni", "Suva"]),
        ({"latitude": 89.99, "longitude": -100.0}, 20, ["Pole", "Beyond the pole"]),
        ({"latitude": 90.0, "longitude": 0.0}, 5, ["Pole"]),
        ({"latitude": -90.0, "longitude": 0.0}, 5, []),
    ],
)
async def test_across_the_date_line_and_the_poles(
    places: Town, middle: dict[str, Any], radius: float, found: list[str]
) -> None:
    assert _titles(await _near(places.client(Standing.ANONYMOUS), radius, **middle)) == found


async def test_pages_by_distance_are_whole(places: Town) -> None:
    client, seen, cursor = places.client(Standing.ANONYMOUS), [], None
    filters = {"near": {**WARSAW, "radiusKm": 20_040}}
    whole = _titles(await _near(client, 20_040))
    assert len(whole) == 1 + len(PLACES)
    while True:
        given: dict[str, Any] = {"filter": filters, "order": "DISTANCE", "first": 2, "after": cursor}
        page = (await client.call("events", **given)).ok()
        seen += _titles(page["items"])
        if not page["pageInfo"]["hasNextPage"]:
            break
        cursor = page["pageInfo"]["endCursor"]
    assert seen == whole
    elsewhere = {"near": {**WARSAW, "latitude": 52.0, "radiusKm": 20_040}}
    foreign = await client.call("events", filter=elsewhere, order="DISTANCE", after=cursor)
    assert (foreign.status, foreign.problem["errors"][0]["path"]) == (400, "after")


async def test_it_goes_with_other_filters_and_orders(places: Town) -> None:
    client = places.client(Standing.ANONYMOUS)
    assert _titles(await _near(client, 300, filter={"text": "krakow"})) == ["Krakow"]
    by_start = await client.call("events", filter={"near": {**WARSAW, "radiusKm": 20}}, order="NEWEST")
    assert _titles(by_start.ok()["items"]) == ["Praga", "An evening"]
    (plain,) = (await client.call("events", filter={"text": "krakow"})).ok()["items"]
    assert plain["distanceKm"] is None


@pytest.mark.parametrize("way", Way)
@pytest.mark.parametrize("standing", [Standing.ANONYMOUS, Standing.OUTSIDER, Standing.MEMBER, Standing.OTHER_TENANT])
async def test_who_may_not_see_an_event_cannot_feel_for_it(places: Town, standing: Standing, way: Way) -> None:
    """The hidden event and the draft lie in Warsaw. Neither lists nor counts nor cursors change around their point."""
    own = {str(places.hidden_id), str(places.draft_id)}
    assert own <= {each["id"] for each in await _near(places.client(Standing.OWNER), 50, way=way)}
    client = places.client(standing)
    for radius in (0.001, 1, 50, 20_040):
        assert own.isdisjoint(each["id"] for each in await _near(client, radius, way=way))
    counted = await client.document(
        "query($f: EventFilter) { events(filter: $f, order: DISTANCE) { totalCount edges { cursor } } }",
        f={"near": {"latitude": 52.2, "longitude": 21.0, "radiusKm": 1}},
    )
    here = 0 if standing == Standing.OTHER_TENANT else 1
    assert counted["data"]["events"]["totalCount"] == len(counted["data"]["events"]["edges"]) == here


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"latitude": 90.1}, "latitude"),
        ({"latitude": -91}, "latitude"),
        ({"longitude": 180.5}, "longitude"),
        ({"radiusKm": 0}, "radiusKm"),
        ({"radiusKm": -1}, "radiusKm"),
        ({"radiusKm": 20_041}, "radiusKm"),
    ],
)
@pytest.mark.parametrize("way", Way)
async def test_numbers_off_the_earth_are_refused(places: Town, way: Way, wrong: dict[str, float], path: str) -> None:
    given = {"near": {**WARSAW, "radiusKm": 5, **wrong}}
    answer = await places.client(Standing.ANONYMOUS).call("events", way=way, filter=given)
    assert (answer.status, answer.code) == (422, "VALIDATION_ERROR")
    (told,) = answer.problem["errors"]
    assert told["path"].removeprefix("filter.") == f"near.{path}"


@pytest.mark.parametrize("way", Way)
async def test_distance_needs_a_point(places: Town, way: Way) -> None:
    answer = await places.client(Standing.ANONYMOUS).call("events", way=way, order="DISTANCE")
    assert answer.status == 400
    assert "near" in answer.problem["detail"]

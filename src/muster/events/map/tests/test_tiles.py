"""Tiles: where events stand in them, who sees which, and how long a cache may keep them."""

import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import pytest_asyncio

from muster.events.map.grid import FINEST, Tile, column_of, interleaved, latitude_of, longitude_of, row_of
from muster.events.map.tests.reader import Read, read_tile
from muster.events.map.vector import EXTENT, Point, vector_tile
from muster.identity.seals import read_sealed_text, sealed_text
from muster.kit.db.migrate import Urls
from muster.testing.below import ask
from muster.testing.client import Client
from muster.testing.people import Standing
from muster.testing.serving import serving_in_process
from muster.testing.town import Town, make_event, settle

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORLD = Tile(0, 0, 0)
_SQUARE = EXTENT // 16
PLACES: dict[str, tuple[float, float]] = {
    "Krakow": (50.0614, 19.9366),
    "Krakow, next door": (50.0614001, 19.9366001),
    "Suva": (-18.14, 178.44),
    "Date line": (-16.8, 180.0),
    "Beyond the map": (89.9, 40.0),
    "South Pole": (-90.0, -180.0),
    "Null Island": (0.0, 0.0),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(module_urls: Urls) -> AsyncIterator[Town]:
    """A town whose own events lie in Warsaw, and events at places of the world."""
    async with serving_in_process(module_urls) as service:
        town = await settle(service)
        for title, (latitude, longitude) in PLACES.items():
            await make_event(
                town.client(Standing.OWNER), title=title, latitude=latitude, longitude=longitude, tags=["map"]
            )
        yield town


async def _get(client: Client, tile: Tile, kind: str = "mvt", headers: Any = None, **given: str) -> httpx.Response:
    path = f"/map/{tile.zoom}/{tile.x}/{tile.y}.{kind}"
    return await client.service.http.get(path, params=given, headers={**client.headers(), **(headers or {})})


async def _points(client: Client, tile: Tile, **given: str) -> list[Read]:
    name, extent, points = read_tile((await _get(client, tile, **given)).raise_for_status().content)
    assert (name, extent) == ("events", EXTENT)
    return points


def _tile_at(latitude: float, longitude: float, zoom: int) -> tuple[int, int, int, int]:
    """The tile of a point by the formula of the specification, and the step within it; nothing of ours."""
    north = math.radians(max(-85.0511287798066, min(85.0511287798066, latitude)))
    x = (longitude + 180) / 360 * 2**zoom
    y = (1 - math.log(math.tan(north) + 1 / math.cos(north)) / math.pi) / 2 * 2**zoom
    column, row = (max(0, min(2**zoom - 1, math.floor(each))) for each in (x, y))
    return column, row, math.floor((x - column) * EXTENT), math.floor((y - row) * EXTENT)


@pytest.mark.parametrize("title", PLACES)
@pytest.mark.parametrize("zoom", [0, 3, 11, 16])
async def test_an_event_stands_where_it_takes_place(town: Town, title: str, zoom: int) -> None:
    x, y, right, down = _tile_at(*PLACES[title], zoom)
    points = await _points(town.client(Standing.ANONYMOUS), Tile(zoom, x, y), tag="map")
    beside = [each for each in points if abs(each.x - right) < _SQUARE and abs(each.y - down) < _SQUARE]
    assert beside, points
    for own in (each for each in points if each.properties.get("title") == title):
        assert (abs(own.x - right) <= 1, abs(own.y - down) <= 1) == (True, True)
        assert own.properties.keys() == {"count", "id", "title", "startsAt"}
        assert own.properties["count"] == 1


@pytest.mark.parametrize("zoom", [0, 1, 2, 5])
async def test_what_is_drawn_together_sums_to_what_there_is(town: Town, zoom: int) -> None:
    client = town.client(Standing.ANONYMOUS)
    tiles = [Tile(zoom, x, y) for x in range(2**zoom) for y in range(2**zoom)] if zoom < 3 else None
    if tiles is None:
        tiles = [Tile(zoom, x, y) for x, y, *_ in {_tile_at(*place, zoom) for place in PLACES.values()}]
        tiles = list(dict.fromkeys(tiles))
    counts = [point.properties["count"] for tile in tiles for point in await _points(client, tile, tag="map")]
    assert sum(counts) == len(PLACES)
    assert max(counts) == 2


async def test_filters_of_lists_are_filters_of_tiles(town: Town) -> None:
    client = town.client(Standing.ANONYMOUS)
    (suva,) = await _points(client, WORLD, text="suva")
    assert suva.properties["title"] == "Suva"
    assert await _points(client, WORLD, startsAfter="2099-01-01T00:00:00Z") == []
    near = {"near[latitude]": "50", "near[longitude]": "20", "near[radiusKm]": "20"}
    (krakow,) = await _points(client, WORLD, **near)
    assert krakow.properties["count"] == 2


async def test_geojson_says_the_same(town: Town) -> None:
    answer = await _get(town.client(Standing.ANONYMOUS), WORLD, "geojson", text="krakow")
    assert answer.headers["content-type"] == "application/geo+json"
    (feature,) = answer.json()["features"]
    assert feature["properties"]["count"] == 2
    longitude, latitude = feature["geometry"]["coordinates"]
    assert (latitude, longitude) == pytest.approx(PLACES["Krakow"], abs=1e-5)


async def test_who_may_not_see_an_event_does_not_find_it_on_the_map(town: Town) -> None:
    """The hidden event and the draft lie in Warsaw, beside the published one, and nobody's cache carries them over."""
    x, y, *_ = _tile_at(52.2, 21.0, 22)
    tile = Tile(22, x, y)
    owners = await _get(town.client(Standing.OWNER), tile)
    assert sum(each.properties["count"] for each in read_tile(owners.content)[2]) == 3
    assert owners.headers["cache-control"] == "private, no-store"
    for standing in (Standing.ANONYMOUS, Standing.OUTSIDER, Standing.MEMBER):
        (seen,) = await _points(town.client(standing), tile)
        assert seen.properties["id"] == str(town.event_id)
    assert await _points(town.client(Standing.OTHER_TENANT), tile) == []
    everybodys = await _get(town.client(Standing.ANONYMOUS), tile)
    assert everybodys.headers["cache-control"] == "public, max-age=60"
    assert {"Authorization", "Cookie", "X-Tenant"} <= {each.strip() for each in everybodys.headers["vary"].split(",")}


async def test_a_tile_that_has_not_changed_is_not_sent_again(town: Town) -> None:
    client = town.client(Standing.ANONYMOUS)
    first = await _get(client, WORLD)
    again = await _get(client, WORLD, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/map/23/0/0.mvt", "z"),
        ("/map/-1/0/0.mvt", "z"),
        ("/map/a/0/0.mvt", "z"),
        ("/map/1/2/0.mvt", "x"),
        ("/map/1/0/2.geojson", "y"),
        ("/map/1/0/0.mvt?first=3", "first"),
        ("/map/1/0/0.mvt?colour=red", "colour"),
        ("/map/1/0/0.mvt?startsAfter=soon", "startsAfter"),
        ("/map/1/99999999999999999999999/0.mvt", "x"),
    ],
)
async def test_what_is_no_tile_is_refused_by_name(town: Town, path: str, field: str) -> None:
    answer = await town.service.http.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["path"] == field


async def test_the_database_and_python_agree_on_the_grid(town: Town) -> None:
    rows = await ask(
        town.service.urls,
        "select latitude, longitude, map_column(longitude), map_row(latitude), map_cell(map_column(longitude), "
        "map_row(latitude)) from (select random() * 180 - 90, random() * 360 - 180 from generate_series(1, 500) "
        "union all values (90, 180), (-90, -180), (5e-324, -5e-324), (85.0511287798066, 0)) as p (latitude, longitude)",
    )
    for latitude, longitude, x, y, cell in rows:
        assert abs(column_of(longitude) - x) <= 1
        assert abs(row_of(latitude) - y) <= 1
        assert interleaved(x, y) == cell
        first, after = Tile(9, x >> (FINEST - 9), y >> (FINEST - 9)).cells
        assert first <= cell < after


async def test_there_and_back() -> None:
    for latitude, longitude in PLACES.values():
        assert longitude_of(column_of(longitude)) == pytest.approx(longitude, abs=1e-5)
        assert latitude_of(row_of(latitude)) == pytest.approx(max(-85.0511, min(85.0511, latitude)), abs=1e-4)


async def test_numbers_of_any_size_and_text_of_any_kind_survive_a_tile() -> None:
    points = [Point(0, 4095, {"a": "łódź 漢 😀", "b": 0}), Point(-5, 70_000, {"a": "", "c": 2**40}), Point(1, 1, {})]
    _, _, found = read_tile(vector_tile("l", points))
    assert found == [Read(each.x, each.y, dict(each.properties)) for each in points]


async def _region_of(client: Client, tile: Tile, **given: str) -> tuple[int, str]:
    """The largest square of a tile: how many events, and the name of its region."""
    found = (await _get(client, tile, "geojson", **given)).raise_for_status().json()["features"]
    told = max((each["properties"] for each in found), key=lambda each: each["count"])
    assert all(("region" in each["properties"]) == (each["properties"]["count"] > 1) for each in found)
    return told["count"], told["region"]


async def _listed(client: Client, region: str, **given: str) -> httpx.Response:
    return await client.service.http.get(f"/map/regions/{region}", params=given, headers=client.headers())


async def test_a_region_lists_what_its_square_counts(town: Town) -> None:
    visitor = town.client(Standing.ANONYMOUS)
    count, region = await _region_of(visitor, WORLD, tag="map")
    assert count == 2
    first = (await _listed(visitor, region, first="1")).raise_for_status().json()
    assert (len(first["items"]), first["totalCount"], first["pageInfo"]["hasNextPage"]) == (1, 2, True)
    second = (await _listed(visitor, region, first="1", after=first["pageInfo"]["endCursor"])).raise_for_status().json()
    titles = {each["title"] for each in (*first["items"], *second["items"])}
    assert titles == {"Krakow", "Krakow, next door"}
    assert second["pageInfo"]["hasNextPage"] is False
    # Without the filter the square holds more of what lies around, and whoever sees hidden events counts them.
    for standing in (Standing.ANONYMOUS, Standing.OWNER):
        client = town.client(standing)
        count, region = await _region_of(client, WORLD)
        assert (await _listed(client, region)).json()["totalCount"] == count


async def test_the_name_of_a_region_is_ours_of_this_community_and_of_this_hour(town: Town) -> None:
    visitor = town.client(Standing.ANONYMOUS)
    _, region = await _region_of(visitor, WORLD, tag="map")
    for wrong in (region[:-2], region.swapcase(), "x", "x" * 9000, key_of_yesterday(town, region)):
        refused = await _listed(visitor, wrong)
        assert (refused.status_code, refused.json()["code"]) in ((404, "REGION_NOT_FOUND"), (410, "REGION_OVER")), wrong
    foreign = await _listed(town.client(Standing.OTHER_TENANT), region)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "REGION_NOT_FOUND")
    for given in ({"first": "101"}, {"first": "x"}, {"after": "x"}, {"tag": "map"}):
        assert (await _listed(visitor, region, **given)).status_code in (400, 422), given


def key_of_yesterday(town: Town, region: str) -> str:
    """The same region as a tile of yesterday named it."""
    settings = town.service.settings
    text = read_sealed_text(settings.security.secrets, "map region", region)
    assert text is not None
    tenant, ends, *rest = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    yesterday = urlsafe_b64encode(msgspec.json.encode([tenant, ends - 86_400, *rest])).decode().rstrip("=")
    return sealed_text(settings.security.jwt_secret, "map region", yesterday)

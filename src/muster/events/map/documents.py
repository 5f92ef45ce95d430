"""The map's tiles as documents: `/map/{z}/{x}/{y}.mvt` for maps that draw vectors, `.geojson` for all others."""

from typing import Annotated, Any

import msgspec
from starlette.responses import Response

from muster.events.map import vector
from muster.events.map.grid import FINEST, MOST, Tile, latitude_of, longitude_of
from muster.events.map.reading import Spot, read_filters, spots_of
from muster.events.map.regions import region_of
from muster.events.map.vector import EXTENT, Point, vector_tile
from muster.kit.arguments import Input, read_struct
from muster.kit.endpoints.documents import Inquiry, document, document_response
from muster.kit.endpoints.rest.arguments import query_arguments
from muster.kit.errors import Invalid
from muster.kit.views.page_arguments import PAGE_NAMES
from muster.kit.views.query import QUERIES

LAYER = "events"
GEOJSON = "application/geo+json"
_FRESH = "public, max-age=60"
"""What everybody sees may be a minute old."""


class _Places(Input):
    z: Annotated[int, msgspec.Meta(ge=0, le=MOST)]
    x: Annotated[int, msgspec.Meta(ge=0)]
    y: Annotated[int, msgspec.Meta(ge=0)]


@document("/map/{z}/{x}/{y}.mvt")
async def show_vectors(inquiry: Inquiry) -> Response:
    """A tile as a vector tile with the layer `events`.

    Each point has `count`; that of one event its `id`, `title` and `startsAt` too.
    """
    tile, spots = await _read(inquiry)
    content = vector_tile(LAYER, [_point(tile, each) for each in spots])
    return await _answer(inquiry, content, vector.MEDIA_TYPE)


@document("/map/{z}/{x}/{y}.geojson")
async def show_geojson(inquiry: Inquiry) -> Response:
    """The same tile as a collection of points (RFC 7946). Each of several events has its `region` (`regions.py`) too."""
    tile, spots = await _read(inquiry)
    filters = query_arguments(QUERIES["events"], inquiry.given).get("filter", {})
    features = [_feature(each) for each in spots]
    for spot, feature in zip(spots, features, strict=True):
        if spot.count > 1:
            named = region_of(inquiry.services.settings, inquiry.origin, tile, spot, filters)
            feature["properties"]["region"] = named
    content = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return await _answer(inquiry, content, GEOJSON)


async def _read(inquiry: Inquiry) -> tuple[Tile, list[Spot]]:
    """The tile that is asked for, and what stands in it. Raises Invalid for one that there is not."""
    places = read_struct({**inquiry.places}, _Places, from_text=True)
    for name, value in (("x", places.x), ("y", places.y)):
        if value >> places.z:
            raise Invalid.field(name, f"must be less than {2**places.z} at zoom {places.z}")
    if strangers := inquiry.given.keys() & set(PAGE_NAMES):
        raise Invalid.field(min(strangers), "is for lists; a tile takes their filters alone", "UNKNOWN_FIELD")
    given = query_arguments(QUERIES["events"], inquiry.given)
    if strangers := given.keys() - {"filter"}:
        raise Invalid.field(min(strangers), "is no filter of events", "UNKNOWN_FIELD")
    tile = Tile(places.z, places.x, places.y)
    filters = read_filters(given.get("filter", {}), from_text=True)
    return tile, await spots_of(inquiry.services, inquiry.origin, tile, filters)


async def _answer(inquiry: Inquiry, content: bytes, media_type: str) -> Response:
    """The document. What somebody sees who is signed in is theirs: no cache keeps it, since it may hold hidden events."""
    is_personal = inquiry.origin.claim.user_id is not None
    kept = None if is_personal else _FRESH
    return await document_response(inquiry.request, content, media_type, is_personal=is_personal, kept=kept)


def _properties(spot: Spot) -> dict[str, Any]:
    told = {"count": spot.count, "id": spot.id, "title": spot.title, "startsAt": spot.starts_at}
    return {name: value for name, value in told.items() if value is not None}


def _point(tile: Tile, spot: Spot) -> Point:
    """Where a spot stands within its tile."""
    width = 1 << (FINEST - tile.zoom)
    x, y = ((place % width) * EXTENT // width for place in (spot.x, spot.y))
    return Point(x, y, _properties(spot))


def _feature(spot: Spot) -> dict[str, Any]:
    place = [round(longitude_of(spot.x + 0.5), 6), round(latitude_of(spot.y + 0.5), 6)]
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": place}, "properties": _properties(spot)}

"""Regions: what stands in a square of the map, as a list.

A square of several events comes with the name of its region: a token that holds the square, the filters of its tile, the
community and until when it is good, under a seal that only we can make. Nobody puts one together who has not seen the
square, and what it lists is what its reader sees.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, and_
from starlette.responses import Response

from muster.events.map.grid import FINEST, Tile, interleaved
from muster.events.map.reading import FINER, Spot, inside_tile, usual
from muster.events.views import EventView
from muster.identity.seals import read_sealed_text, sealed_text
from muster.kit.arguments import Input, read_struct
from muster.kit.caller import Origin, anyone
from muster.kit.endpoints.documents import Inquiry, document, document_response
from muster.kit.errors import Gone, NotFound
from muster.kit.views.compiler import Compiler
from muster.kit.views.page_arguments import read_page
from muster.kit.views.picks import SlotValues, page_of, whole
from muster.kit.views.plans import PlanCache, compile_plan, run_plan
from muster.settings import Settings

GOOD_FOR = timedelta(hours=1)
"""For at least so long, and less than twice that: tokens of an hour are alike, so that tiles are."""
_PURPOSE = "map region"
_LONGEST = 8000
_PLANS = PlanCache()


class RegionNotFound(NotFound):
    """There is no such region on this community's map; take one from a tile of it."""

    code = "REGION_NOT_FOUND"


class RegionOver(Gone):
    """The name of a region is good for an hour; ask for the tile again."""

    code = "REGION_OVER"


class _Region(msgspec.Struct, array_like=True, frozen=True):
    """What a token holds. first, after: the cells of the square. filters: as the tile's address had them."""

    tenant_id: UUID
    ends: int
    first: int
    after: int
    filters: dict[str, Any]


class _Asked(Input):
    first: Annotated[int, msgspec.Meta(ge=0, le=100)] | None = None
    after: str | None = None


def region_of(settings: Settings, origin: Origin, tile: Tile, spot: Spot, filters: dict[str, Any]) -> str:
    """The name of the region that a spot of a tile stands for. filters: of the tile, as text."""
    half = max(FINEST - tile.zoom - FINER, 0)
    square = interleaved(spot.x >> half, spot.y >> half)
    hour = int(origin.now.timestamp() // GOOD_FOR.total_seconds())
    ends = int((hour + 2) * GOOD_FOR.total_seconds())
    region = _Region(origin.claim.tenant_id, ends, square << 2 * half, (square + 1) << 2 * half, filters)
    text = urlsafe_b64encode(msgspec.json.encode(region)).decode().rstrip("=")
    return sealed_text(settings.security.jwt_secret, _PURPOSE, text)


@document("/map/regions/{region}")
async def show_region(inquiry: Inquiry) -> Response:
    """The events of a region that the caller sees, a page at a time, with how many there are (`first`, `after`).

    Raises RegionNotFound, RegionOver, and what a list raises for its page.
    """
    services, origin = inquiry.services, inquiry.origin
    region = _read(services.settings, origin, inquiry.places["region"])
    asked = msgspec.to_builtins(read_struct({**inquiry.given}, _Asked, from_text=True))
    paging = {name: str(value) for name, value in asked.items() if value is not None}
    listed = f"region {region.first} {region.after}"
    found = read_page(EventView, listed, {**paging, "filter": region.filters}, {}, from_text=True)
    slots = [SlotValues({**found.values, "first": region.first, "after": region.after}, found.shape)]
    plan = _PLANS.get((services.gate, found.shape), lambda: compile_plan(services.gate, slots, [_list]))
    caller, (body,) = await run_plan(services.database, plan, origin, slots)
    services.gate.admit(origin.claim, caller, anyone, None)
    is_personal = origin.claim.user_id is not None
    return await document_response(inquiry.request, body.encode(), "application/json", is_personal=is_personal)


def _list(compiler: Compiler) -> ColumnElement[str]:
    def chooses(row: Any) -> ColumnElement[bool]:
        return and_(*inside_tile(compiler, 0, row), *usual(compiler, 0, row))

    return compiler.page(EventView, page_of(whole(EventView), 0, counted=True), chooses)


def _read(settings: Settings, origin: Origin, token: str) -> _Region:
    text = read_sealed_text(settings.security.secrets, _PURPOSE, token) if len(token) <= _LONGEST else None
    if text is None:
        raise RegionNotFound
    region = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Region)
    if region.tenant_id != origin.claim.tenant_id:
        raise RegionNotFound
    if origin.now >= datetime.fromtimestamp(region.ends, origin.now.tzinfo):
        raise RegionOver
    return region

"""The page of what there is: a list that reads without a script, and with one a map of the same."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from muster.events.pages.reading import read_cities, read_events
from muster.events.pages.times import span
from muster.kit.endpoints.pages.html import Policy
from muster.kit.endpoints.pages.page import Visit, page
from muster.kit.errors import BadInput
from muster.kit.words import FALLBACK, Section

_WORDS = "events.page_explore"
SPANS: Mapping[str, timedelta | None] = MappingProxyType(
    {"upcoming": None, "week": timedelta(days=7), "month": timedelta(days=30)}
)
"""What may be chosen of when, and until how long after today."""
DISTANCES = ("10", "25", "50", "100")
"""Kilometres around a city."""
_FIRST = 20
_LONGEST_SEARCH = 100
_FARTHEST = timedelta(days=3660)
# MapLibre draws its map in a worker that it makes of its own file, and its pictures of data.
_POLICY: Policy = {
    "script-src": "'self'",
    "worker-src": "blob:",
    "child-src": "blob:",
    "connect-src": "'self'",
    "img-src": "'self' data: blob:",
}


@page("GET /explore", personal=True)
async def explore(visit: Visit) -> Response:
    """The events that the visitor sees, from today on."""
    search = _search(visit)
    cities = await read_cities(visit, search["city"]) if search["city"] else []
    city = next((each for each in cities if each["id"] == search["place"]), cities[0] if cities else None)
    filters = _filters(search) | ({} if city is None else {"nearCity": {"city": city["id"], "radiusKm": search["km"]}})
    try:
        found, topics = await _read(visit, search, filters, visit.fields.get("after", ""))
    except BadInput:
        # The place in another search, or a damaged one: the search begins anew.
        found, topics = await _read(visit, search, filters, "")
    words = visit.words(_WORDS)
    more = found["pageInfo"]["hasNextPage"]
    return visit.show(
        "events/pages/templates/explore.html",
        words=words,
        policy=_POLICY,
        events=[{**each, "when": _when(each, words)} for each in found["items"]],
        categories=[(each["slug"], _name(each, words.language)) for each in topics],
        spans=SPANS,
        distances=DISTANCES,
        city=city,
        others=[(_of_city(each), _address(search, place=each["id"])) for each in cities if each is not city],
        search=search,
        next=_address(search, after=found["pageInfo"]["endCursor"]) if more else None,
        tiles=f"/map/{{z}}/{{x}}/{{y}}.mvt?{urlencode(_in_an_address(filters))}",
    )


def _search(visit: Visit) -> dict[str, str]:
    """What is searched for. What makes no sense is left out: a list is better than a refusal."""
    given = visit.fields
    when = given.get("when", "")
    return {
        "text": given.get("text", "").strip()[:_LONGEST_SEARCH],
        "category": given.get("category", ""),
        "when": when if when in SPANS else next(iter(SPANS)),
        "city": given.get("city", "").strip()[:_LONGEST_SEARCH],
        # Which of the cities of that name.
        "place": given.get("place", ""),
        "km": km if (km := given.get("km", "")) in DISTANCES else DISTANCES[1],
        # So that a next page is of the same day's list.
        "since": str(_day(given.get("since", ""), visit.origin.now.date())),
    }


def _address(search: Mapping[str, str], **changes: str) -> str:
    return f"/explore?{urlencode({**search, **changes})}"


def _in_an_address(filters: Mapping[str, Any]) -> dict[str, str]:
    """Filters as addresses have them."""
    found = {name: value for name, value in filters.items() if not isinstance(value, dict)}
    nested = {name: value for name, value in filters.items() if isinstance(value, dict)}
    return found | {f"{name}[{key}]": part for name, value in nested.items() for key, part in value.items()}


def _of_city(city: Mapping[str, Any]) -> str:
    return f"{city['name']}, {city['country']}"


def _filters(search: Mapping[str, str]) -> dict[str, Any]:
    """The same as filters of lists of events and of maps."""
    since, length = datetime.combine(date.fromisoformat(search["since"]), time(), UTC), SPANS[search["when"]]
    before = {} if length is None else {"startsBefore": (since + length).isoformat()}
    chosen = {name: search[name] for name in ("text", "category") if search[name]}
    return {**chosen, "startsAfter": since.isoformat(), **before}


async def _read(
    visit: Visit, search: Mapping[str, str], filters: Mapping[str, Any], after: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    chosen: dict[str, object] = {**filters}
    if "nearCity" in filters:
        chosen["nearCity"] = {**filters["nearCity"], "radiusKm": float(search["km"])}
    if search["category"]:
        chosen["category"] = [search["category"]]
    asked: dict[str, object] = {"first": _FIRST, "filter": chosen, **({"after": after} if after else {})}
    return await read_events(visit, asked)


def _day(text: str, today: date) -> date:
    """The day that an address names; today where it is none, or one that no list begins with."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day - today) <= _FARTHEST else today


def _when(event: Mapping[str, Any], words: Section) -> str:
    return span(event["startsAt"], event["endsAt"], event["timezone"], words.language)


def _name(topic: Mapping[str, Any], language: str) -> str:
    """What a category is called in the reader's language, else in English, else by its slug."""
    names: Mapping[str, str] = topic["names"]
    return names.get(language) or names.get(FALLBACK) or str(topic["slug"])

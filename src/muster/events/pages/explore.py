"""The page of what there is: a list that reads without a script, and with one a map of the same."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from muster.events.pages.reading import read_events
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
    filters = _filters(search)
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
        search=search,
        next=f"/explore?{urlencode({**search, 'after': found['pageInfo']['endCursor']})}" if more else None,
        tiles=f"/map/{{z}}/{{x}}/{{y}}.mvt?{urlencode(filters)}",
    )


def _search(visit: Visit) -> dict[str, str]:
    """What is searched for. What makes no sense is left out: a list is better than a refusal."""
    given = visit.fields
    when = given.get("when", "")
    return {
        "text": given.get("text", "").strip()[:_LONGEST_SEARCH],
        "category": given.get("category", ""),
        "when": when if when in SPANS else next(iter(SPANS)),
        # So that a next page is of the same day's list.
        "since": str(_day(given.get("since", ""), visit.origin.now.date())),
    }


def _filters(search: Mapping[str, str]) -> dict[str, str]:
    """The same as filters of lists of events and of maps."""
    since, length = datetime.combine(date.fromisoformat(search["since"]), time(), UTC), SPANS[search["when"]]
    before = {} if length is None else {"startsBefore": (since + length).isoformat()}
    chosen = {name: search[name] for name in ("text", "category") if search[name]}
    return {**chosen, "startsAfter": since.isoformat(), **before}


async def _read(
    visit: Visit, search: Mapping[str, str], filters: Mapping[str, str], after: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    chosen: dict[str, object] = {**filters}
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

"""What the filters of lists leave, over plain rows."""

from datetime import datetime
from typing import Any
from uuid import UUID

from muster.kit.text import camel
from muster.kit.views.tests.oracle_world import Row, World

_FROM = {"startsAfter": "starts_at", "since": "at", "fromSequence": "sequence", "priceFrom": "price"}
_UP_TO = {"startsBefore": "starts_at", "until": "at", "beforeSequence": "sequence"}
"""The columns of filters that bound a list."""


def around(world: World, near: dict[str, float]) -> dict[UUID, float]:
    """The events within a circle, with their distances from its middle."""
    return world.distances[near["latitude"], near["longitude"], near["radiusKm"]]


Held = dict[str, dict[UUID, list[str]]]
"""By the filter that asks for it, what each of a tenant's events has."""


def matches(world: World, held: Held, row: Row, name: str, value: Any) -> bool:
    """Whether a filter leaves a row."""
    if name in _FROM:
        return bool(row[_FROM[name]] >= value)
    if name in _UP_TO:
        return bool(row[_UP_TO[name]] < value)
    match name:
        case "text":
            return row["id"] in world.ranks[value]
        case "near":
            return row["id"] in around(world, value)
        case "nearCity":
            city = next((each for each in world.tables["cities"] if str(each["id"]) == value["city"]), None)
            return city is not None and row["id"] in around(world, {**city, **value})
        case "refusal":
            return bool(row["outcome"] == value != "done")
        case "online":
            return (row["meeting_kind"] != "ONSITE") is value
        case "city" | "country" if "city" in row and "slug" not in row:
            return row[name] is not None and row[name].lower() == value.lower()
        case "tag":
            return bool({each.lower() for each in value} & {*held[name][row["id"]]})
        case "levels" | "priceUpTo" | "hasPlaces" | "ownerVerified":
            return _suits(world, row, name, value)
        case "category":
            return bool({*value} & {*held[name][row["id"]]})
    return _equals(row, name, value)


def _suits(world: World, event: Row, name: str, value: Any) -> bool:
    """Whether an event is for whom it should be."""
    match name:
        case "levels":
            return bool({*value} & {*event["levels"]})
        case "priceUpTo":
            return bool(event["price"] <= value)
        case "hasPlaces":
            return (event["max"] is None or event["joined_count"] + event["held_count"] < event["max"]) is value
    owner = next(each for each in world.tables["users"] if each["id"] == event["owner_id"])
    return (owner["verified_at"] is not None) is value


def _equals(row: Row, name: str, value: Any) -> bool:
    """A filter of the name of a column."""
    found = [each for each in row if camel(each) == name]
    if not found:
        raise LookupError(f"the oracle does not know the filter {name}; write it here")
    return bool(row[found[0]] in value if isinstance(value, list) else row[found[0]] == value)


def filters_of(given: dict[str, Any]) -> dict[str, Any]:
    """The filters that are given, as values."""
    wanted: dict[str, Any] = given.get("filter") or {}
    return {name: _typed(name, value) for name, value in wanted.items() if value is not None}


def _typed(name: str, value: Any) -> Any:
    if name in ("startsAfter", "startsBefore", "since", "until"):
        return datetime.fromisoformat(value)
    return UUID(value) if name in ("ownerId", "actorId", "actedAs", "objectId") else value

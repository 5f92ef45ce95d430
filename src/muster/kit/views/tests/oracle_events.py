"""What the oracle's events show to whom: where they are, and who takes part."""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from muster.events.tables import Level
from muster.kit.text import camel
from muster.kit.views.tests.oracle_lists import List
from muster.kit.views.tests.oracle_values import HOSTILE
from muster.profiles.tables import Disclosure

Row = dict[str, Any]


def more_of_event(chance: random.Random) -> Row:
    """What an event says beside what and when it is."""
    pick = chance.choice
    said: Row = {name: pick((None, *HOSTILE)) for name in ("notes", "place", "place_id", "language", "cover_url")}
    said |= {f"{name}_visibility": pick((*Disclosure, Disclosure.PUBLIC)) for name in ("address", "members")}
    said |= {"gallery": chance.sample(HOSTILE, k=pick((0, 1, 3))), "description_html": pick(HOSTILE)}
    said["levels"] = [each for each in Level if pick((True, False))]
    said |= {"radius_km": pick((None, 0.0, 1 / 3, 10.0)), "price": pick((0, 0, 1, 2**31 - 1)), "currency": "PLN"}
    return said | {"appearance": pick((None, Jsonb({pick(HOSTILE): [None, 1.5]})))}


def is_disclosed(event: Row, what: str, mine: Mapping[Any, Row]) -> bool:
    """Whether an event shows its `address` or its `members` to the viewer. mine: their memberships by event."""
    own = mine.get(event["id"])
    if event[f"{what}_visibility"] == Disclosure.PUBLIC:
        return True
    if own is None or own["status"] != "JOINED":
        return False
    return event[f"{what}_visibility"] == Disclosure.AFTER_JOIN or own["role"] in ("OWNER", "MODERATOR")


def sees_membership(member: Row, event: Row, mine: Mapping[Any, Row], me: Any) -> bool:
    """Whether the viewer sees a membership: their own, and those that the event lists to them; who runs it all of them."""
    own = mine.get(event["id"], {})
    runs = own.get("status") == "JOINED" and own.get("role") in ("OWNER", "MODERATOR")
    listed = member["status"] == "JOINED" and is_disclosed(event, "members", mine)
    return bool(listed or runs or member["user_id"] == me)


def coarse(event: Row) -> tuple[float, float]:
    """The middle of the square that an event's point lies in."""
    latitude = round(event["latitude"] * 20, 0) / 20
    squares = max(1, round(20 * math.cos(math.radians(latitude))))
    return latitude, round(event["longitude"] * squares, 0) / squares


def crowd(event: Row) -> int:
    """How many have a place: fives below ten, then tens, and from a thousand on two digits."""
    count: int = event["joined_count"]
    step: int = 5 if count < 10 else 10 ** max(1, len(str(count)) - 2)
    return int(count // step * step)


def computed_of(mine: Mapping[Any, Row]) -> dict[str, Callable[[Row], Any]]:
    """The fields of events that not everybody is shown. mine: the viewer's memberships by event."""

    def exact(event: Row) -> bool:
        return is_disclosed(event, "address", mine)

    def online_url(event: Row) -> Any:
        own = mine.get(event["id"])
        return event["online_url"] if own and own["status"] == "JOINED" and exact(event) else None

    def hidden(name: str) -> Callable[[Row], Any]:
        return lambda event: event[name] if exact(event) else None

    def degrees(name: str, part: int) -> Callable[[Row], Any]:
        return lambda event: (
            event[name]
            if exact(event) or event[name] is None or event["address_visibility"] == "PUBLIC"
            else coarse(event)[part]
        )

    return {
        **{f"Event.{camel(name)}": hidden(name) for name in ("address", "place", "place_id")},
        "Event.isPointExact": exact,
        "Event.latitude": degrees("latitude", 0),
        "Event.longitude": degrees("longitude", 1),
        "Event.onlineUrl": online_url,
    }


def managed(name: str, given: Mapping[str, Any], events: Mapping[UUID, Row], members: Sequence[Row]) -> List | None:
    """The lists for who manages all events: nothing is hidden from them. None for another list."""
    if name == "managedEvents":
        return List("ManagedEvent", name, [*events.values()])
    if name != "userEventMemberships":
        return None
    person = UUID(given["userId"])
    theirs = [row for row in members if row["user_id"] == person]
    return List("ManagedMembership", name, theirs, {"user_id": person})

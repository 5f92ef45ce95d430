"""What an event's page tells programs that read it: search engines, and those that draw a card of a link."""

from collections.abc import Mapping
from typing import Any

import msgspec

_LONGEST_SUMMARY = 200
_MODES = {"ONSITE": "Offline", "ONLINE": "Online", "HYBRID": "Mixed"}


def summary(event: Mapping[str, Any]) -> str:
    """The beginning of its description, as plain words."""
    words = " ".join(event["description"].split())
    return words if len(words) <= _LONGEST_SUMMARY else f"{words[: _LONGEST_SUMMARY - 1]}…"


def structured(event: Mapping[str, Any], address: str) -> str:
    """The event as JSON-LD in the words of https://schema.org/Event, to stand inside a page: nothing in it ends a script."""
    place = {
        "@type": "Place",
        "name": event["place"] or event["city"],
        "address": ", ".join(each for each in (event["address"], event["city"], event["country"]) if each) or None,
    }
    told = {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": event["title"],
        "description": summary(event),
        "startDate": event["startsAt"],
        "endDate": event["endsAt"],
        "eventStatus": "https://schema.org/EventScheduled",
        "eventAttendanceMode": f"https://schema.org/{_MODES[event['meetingKind']]}EventAttendanceMode",
        "location": {"@type": "VirtualLocation", "url": address} if event["meetingKind"] == "ONLINE" else _said(place),
        "organizer": {"@type": "Person", "name": event["owner"]["name"]},
        "maximumAttendeeCapacity": event["max"],
        "image": event["coverUrl"],
        "url": address,
    }
    return msgspec.json.encode(_said(told)).decode().replace("<", "\\u003c")


def _said(told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if value is not None}

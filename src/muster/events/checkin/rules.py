"""What the door may do: pure decisions, no SQL, no clock."""

from datetime import datetime, timedelta
from math import asin, cos, radians, sin, sqrt

EARTH = 6_371_008.8
"""Metres: the mean radius of the earth (IUGG)."""
SELF_CHECK_IN_OPENS = timedelta(hours=2)
"""How long before the start people may check themselves in."""


def metres_between(from_: tuple[float, float], to: tuple[float, float]) -> float:
    """How far two points on earth are apart, in metres, by the haversine formula. Points: degrees north and east."""
    (south, west), (north, east) = (tuple(map(radians, point)) for point in (from_, to))
    half = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin((east - west) / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def is_time_to_come(starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether people may check themselves in: from a while before the start until the end."""
    return starts_at - SELF_CHECK_IN_OPENS <= now < ends_at

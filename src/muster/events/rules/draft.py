"""What of an event's input has rules beyond its type."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.events.tables import MeetingKind, Mode
from muster.kit.places import is_timezone

LONGEST = timedelta(days=30)
EARLIEST_START = timedelta(minutes=5)
LONGEST_WINDOW = 10_080
"""The most minutes that a bound of the window in which people get in may lie from the start: a week."""
SIZES = {Mode.ONE_TO_ONE: (2, 2), Mode.GROUP: (1, 50), Mode.CUSTOM: (1, 99_999)}
"""The least and the most people by mode."""


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field of a draft."""

    field: str
    message: str


NEEDS_POINT = Problem("latitude", "an ONSITE event needs a point: latitude and longitude")


@dataclass(frozen=True)
class Draft:
    """What of an event's input has rules beyond its type."""

    starts_at: datetime
    ends_at: datetime
    timezone: str
    meeting_kind: MeetingKind
    online_url: str | None
    latitude: float | None
    longitude: float | None
    mode: Mode
    min: int | None
    max: int | None
    join_opens_minutes_before_start: int | None = None
    join_cutoff_minutes_before_start: int | None = None
    allow_join_late: bool = True
    late_join_cutoff_minutes_after_start: int | None = None
    price: int = 0
    currency: str | None = None


def draft_of(source: object) -> Draft:
    """The draft in anything that has its fields."""
    return Draft(**{name: getattr(source, name) for name in Draft.__dataclass_fields__})


def draft_problems(draft: Draft) -> list[Problem]:
    """Every rule the draft breaks, in the order of its fields."""
    has_point = draft.latitude is not None and draft.longitude is not None
    has_half = (draft.latitude is None) != (draft.longitude is None)
    least, most = SIZES[draft.mode]
    low, high = capacity(draft)
    needs_point, needs_url = draft.meeting_kind == MeetingKind.ONSITE, draft.meeting_kind == MeetingKind.ONLINE
    needs_either = draft.meeting_kind == MeetingKind.HYBRID and not has_point and draft.online_url is None
    checks = (
        (draft.ends_at <= draft.starts_at, "endsAt", "must be after startsAt"),
        (draft.ends_at - draft.starts_at > LONGEST, "endsAt", f"must be within {LONGEST.days} days of startsAt"),
        (not is_timezone(draft.timezone), "timezone", "must be an IANA time zone such as Europe/Warsaw"),
        (has_half, "latitude", "must come together with longitude"),
        (needs_point and not has_point, NEEDS_POINT.field, NEEDS_POINT.message),
        (needs_url and draft.online_url is None, "onlineUrl", "an ONLINE event needs an address to meet at"),
        (needs_either, "onlineUrl", "a HYBRID event needs an onlineUrl or a point"),
        (not least <= low <= most, "min", f"must be from {least} to {most} for {draft.mode}"),
        (high is not None and not least <= high <= most, "max", f"must be from {least} to {most} for {draft.mode}"),
        (high is not None and high < low, "max", "must not be below min"),
        (_never_opens(draft), "joinOpensMinutesBeforeStart", "must be more than joinCutoffMinutesBeforeStart"),
        (
            draft.late_join_cutoff_minutes_after_start is not None and not draft.allow_join_late,
            "lateJoinCutoffMinutesAfterStart",
            "must be absent or null while allowJoinLate is false",
        ),
        (draft.price > 0 and draft.currency is None, "currency", "must say in what the price is"),
    )
    return [Problem(field, message) for broken, field, message in checks if broken]


def _never_opens(draft: Draft) -> bool:
    """Whether the window shuts before it opens."""
    opens, cutoff = draft.join_opens_minutes_before_start, draft.join_cutoff_minutes_before_start
    return opens is not None and cutoff is not None and opens <= cutoff


def capacity(draft: Draft) -> tuple[int, int | None]:
    """The least and the most people, with the mode's own where none are given; None is unlimited."""
    least, most = SIZES[draft.mode]
    unlimited = draft.max is None and draft.mode == Mode.CUSTOM
    return (
        least if draft.min is None else draft.min,
        None if unlimited else (most if draft.max is None else draft.max),
    )

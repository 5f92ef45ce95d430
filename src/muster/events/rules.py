"""What is allowed of events: pure decisions, no SQL, no clock, no I/O."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from muster.events.tables import EventMemberRole, EventMemberStatus, EventStatus, JoinMode, MeetingKind, Mode
from muster.kit.places import is_timezone

LONGEST = timedelta(days=30)
EARLIEST_START = timedelta(minutes=5)
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
    )
    return [Problem(field, message) for broken, field, message in checks if broken]


def capacity(draft: Draft) -> tuple[int, int | None]:
    """The least and the most people, with the mode's own where none are given; None is unlimited."""
    least, most = SIZES[draft.mode]
    unlimited = draft.max is None and draft.mode == Mode.CUSTOM
    return (
        least if draft.min is None else draft.min,
        None if unlimited else (most if draft.max is None else draft.max),
    )


class Phase(StrEnum):
    """Where an event is in its life: its status, and of a published one whether it is over. A deleted one has none."""

    DRAFT = "DRAFT"
    PUBLISHED = "PUBLISHED"
    OVER = "OVER"
    CANCELLED = "CANCELLED"


def phase(status: EventStatus, ends_at: datetime, now: datetime) -> Phase:
    """Where an event is in its life at a moment. Raises ValueError for a deleted one, which no verb finds."""
    return Phase.OVER if status == EventStatus.PUBLISHED and ends_at <= now else Phase(str(status))


class Deed(StrEnum):
    """What can be done to an event; of deleting it, `decide_deletion` decides."""

    UPDATE = "UPDATE"
    PUBLISH = "PUBLISH"
    UNPUBLISH = "UNPUBLISH"
    CANCEL = "CANCEL"
    JOIN = "JOIN"
    LEAVE = "LEAVE"
    KICK = "KICK"
    CHANGE_ROLE = "CHANGE_ROLE"


class Ruling(StrEnum):
    """What the phase says of a deed: do it, it is so already, or why not."""

    DO = "DO"
    DONE = "DONE"
    NOT_PUBLISHED = "NOT_PUBLISHED"
    PUBLISHED = "PUBLISHED"
    OVER = "OVER"
    CANCELLED = "CANCELLED"


def _rulings(draft: Ruling, published: Ruling, over: Ruling, cancelled: Ruling) -> dict[Phase, Ruling]:
    return {Phase.DRAFT: draft, Phase.PUBLISHED: published, Phase.OVER: over, Phase.CANCELLED: cancelled}


_R = Ruling
LIFE: dict[Deed, dict[Phase, Ruling]] = {
    Deed.UPDATE: _rulings(_R.DO, _R.DO, _R.DO, _R.CANCELLED),
    Deed.PUBLISH: _rulings(_R.DO, _R.PUBLISHED, _R.PUBLISHED, _R.CANCELLED),
    Deed.UNPUBLISH: _rulings(_R.DONE, _R.DO, _R.OVER, _R.CANCELLED),
    Deed.CANCEL: _rulings(_R.NOT_PUBLISHED, _R.DO, _R.OVER, _R.DONE),
    Deed.JOIN: _rulings(_R.NOT_PUBLISHED, _R.DO, _R.OVER, _R.CANCELLED),
    Deed.LEAVE: _rulings(_R.DO, _R.DO, _R.DO, _R.CANCELLED),
    Deed.KICK: _rulings(_R.DO, _R.DO, _R.DO, _R.CANCELLED),
    Deed.CHANGE_ROLE: _rulings(_R.DO, _R.DO, _R.DO, _R.CANCELLED),
}
"""The life of an event: what each phase says of each deed. What a deed asks beyond that stands with the deed."""

COOLING = timedelta(days=30)
"""How long a cancelled event stays for its members to see before it may be deleted."""


class Deletion(StrEnum):
    """Whether an event may be deleted."""

    DO = "DO"
    CANCEL_FIRST = "CANCEL_FIRST"
    OVER = "OVER"
    WAIT = "WAIT"


def decide_deletion(where: Phase, cancelled_at: datetime | None, *, had_members: bool, now: datetime) -> Deletion:
    """Whether an event may be deleted: a draft, and what nobody ever joined, at once; else some time after cancelling.

    had_members: whether anybody but the owner ever had a membership.
    """
    if where == Phase.DRAFT or not had_members:
        return Deletion.DO
    if where != Phase.CANCELLED or cancelled_at is None:
        return Deletion.OVER if where == Phase.OVER else Deletion.CANCEL_FIRST
    return Deletion.DO if cancelled_at + COOLING <= now else Deletion.WAIT


def move_problems(where: Phase, before: Draft, after: Draft, now: datetime) -> list[Problem]:
    """What is wrong with the new times of an event that people rely on: they lie ahead. A draft may be anything yet."""
    if where == Phase.DRAFT:
        return []
    starts_late = after.starts_at != before.starts_at and after.starts_at < now + EARLIEST_START
    ends_late = after.ends_at != before.ends_at and after.ends_at <= now
    minutes = EARLIEST_START // timedelta(minutes=1)
    checks = (
        (starts_late, "startsAt", f"a new start must be at least {minutes} minutes ahead"),
        (ends_late, "endsAt", "a new end must be ahead"),
    )
    return [Problem(field, message) for broken, field, message in checks if broken]


class JoinLock(StrEnum):
    """Why nobody can join; the first reason that applies is told."""

    CANCELED = "CANCELED"
    ENDED = "ENDED"
    NOT_OPEN_YET = "NOT_OPEN_YET"


JOIN_LOCKS = {
    Ruling.CANCELLED: JoinLock.CANCELED,
    Ruling.OVER: JoinLock.ENDED,
    Ruling.NOT_PUBLISHED: JoinLock.NOT_OPEN_YET,
}
"""What the life of an event says of joining, in the words that clients know."""


class Verdict(StrEnum):
    """What becomes of somebody who wants to join."""

    SEATED = "SEATED"
    WAITING = "WAITING"
    UNCHANGED = "UNCHANGED"
    CLOSED = "CLOSED"
    NOT_INVITED = "NOT_INVITED"
    KICKED = "KICKED"


@dataclass(frozen=True)
class Places:
    """How full an event is. max: None is unlimited. has_queue: whether somebody waits."""

    taken: int
    max: int | None
    has_queue: bool = False

    @property
    def free(self) -> int | None:
        """How many places are free; None is unlimited."""
        return None if self.max is None else self.max - self.taken


@dataclass(frozen=True)
class Terms:
    """Under which terms an event lets people in."""

    phase: Phase
    join_mode: JoinMode


def decide_join(terms: Terms, places: Places, standing: EventMemberStatus | None) -> Verdict:
    """What becomes of a person who wants in; the first reason that applies.

    standing: what they are to the event already. Nobody who joins overtakes somebody who waits.
    """
    if standing in (EventMemberStatus.JOINED, EventMemberStatus.WAITLIST):
        return Verdict.UNCHANGED
    if LIFE[Deed.JOIN][terms.phase] != Ruling.DO:
        return Verdict.CLOSED
    if standing == EventMemberStatus.KICKED:
        return Verdict.KICKED
    if terms.join_mode == JoinMode.INVITE_ONLY:
        return Verdict.NOT_INVITED
    return Verdict.SEATED if places.free != 0 and not places.has_queue else Verdict.WAITING


ORGANISERS = (EventMemberRole.OWNER, EventMemberRole.MODERATOR)


def is_organiser(role: EventMemberRole | None, status: EventMemberStatus | None) -> bool:
    """Whether somebody runs the event. A role counts only while its membership is JOINED."""
    return status == EventMemberStatus.JOINED and role in ORGANISERS

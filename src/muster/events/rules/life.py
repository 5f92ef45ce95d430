"""The life of an event: what may be done to it when."""

from datetime import datetime, timedelta
from enum import StrEnum

from muster.events.rules.draft import EARLIEST_START, Draft, Problem
from muster.events.tables import EventStatus


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
    """What can be done to an event; of deleting it, `decide_deletion` decides, and of joining, `decide_join`."""

    UPDATE = "UPDATE"
    PUBLISH = "PUBLISH"
    UNPUBLISH = "UNPUBLISH"
    CANCEL = "CANCEL"
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

"""The life of an event: what may be done to it when."""

from datetime import datetime, timedelta
from enum import StrEnum

from muster.events.rules.draft import EARLIEST_START, Draft, Problem
from muster.events.tables import EventStatus

SHOWN = (EventStatus.PUBLISHED, EventStatus.CANCELLED)
"""What an event is that is seen beyond its team."""

BOOSTED_FOR = timedelta(hours=24)
"""How long a boost puts an event before others."""


class Phase(StrEnum):
    """Where an event is in its life: its status, and of a published one whether it is over. A deleted one has none."""

    DRAFT = "DRAFT"
    SCHEDULED = "SCHEDULED"
    PUBLISHED = "PUBLISHED"
    OVER = "OVER"
    CANCELLED = "CANCELLED"


def phase(status: EventStatus, ends_at: datetime, now: datetime) -> Phase:
    """Where an event is in its life at a moment. Raises ValueError for a deleted one, which no verb finds."""
    return Phase.OVER if status == EventStatus.PUBLISHED and ends_at <= now else Phase(str(status))


class Deed(StrEnum):
    """What can be done to an event; of joining it, `decide_join` decides."""

    UPDATE = "UPDATE"
    PUBLISH = "PUBLISH"
    SCHEDULE = "SCHEDULE"
    UNPUBLISH = "UNPUBLISH"
    CANCEL = "CANCEL"
    LEAVE = "LEAVE"
    KICK = "KICK"
    INVITE = "INVITE"
    CHANGE_ROLE = "CHANGE_ROLE"
    ANNOUNCE = "ANNOUNCE"
    CHECK_IN = "CHECK_IN"
    ADVERTISE = "ADVERTISE"
    OFFER_OWNERSHIP = "OFFER_OWNERSHIP"
    CHANGE_OWNER = "CHANGE_OWNER"
    MODERATE_ROOM = "MODERATE_ROOM"
    DELETE = "DELETE"
    RESTORE = "RESTORE"


class Ruling(StrEnum):
    """What the phase says of a deed: do it, it is so already, or why not."""

    DO = "DO"
    DONE = "DONE"
    NOT_PUBLISHED = "NOT_PUBLISHED"
    PUBLISHED = "PUBLISHED"
    OVER = "OVER"
    CANCELLED = "CANCELLED"


_R = Ruling
_PHASES = (Phase.DRAFT, Phase.SCHEDULED, Phase.PUBLISHED, Phase.OVER, Phase.CANCELLED)


def _rulings(*rulings: Ruling) -> dict[Phase, Ruling]:
    return dict(zip(_PHASES, rulings, strict=True))


LIFE: dict[Deed, dict[Phase, Ruling]] = {
    Deed.UPDATE: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.CANCELLED),
    Deed.PUBLISH: _rulings(_R.DO, _R.DO, _R.PUBLISHED, _R.PUBLISHED, _R.CANCELLED),
    Deed.SCHEDULE: _rulings(_R.DO, _R.DO, _R.PUBLISHED, _R.PUBLISHED, _R.CANCELLED),
    Deed.UNPUBLISH: _rulings(_R.DONE, _R.DO, _R.DO, _R.OVER, _R.CANCELLED),
    Deed.CANCEL: _rulings(_R.NOT_PUBLISHED, _R.NOT_PUBLISHED, _R.DO, _R.OVER, _R.DONE),
    Deed.LEAVE: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.CANCELLED),
    Deed.KICK: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.CANCELLED),
    # Who is invited to a draft would be told of what they may not see.
    Deed.INVITE: _rulings(_R.NOT_PUBLISHED, _R.NOT_PUBLISHED, _R.DO, _R.OVER, _R.CANCELLED),
    Deed.CHANGE_ROLE: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.CANCELLED),
    Deed.ANNOUNCE: _rulings(_R.NOT_PUBLISHED, _R.NOT_PUBLISHED, _R.DO, _R.DO, _R.CANCELLED),
    Deed.CHECK_IN: _rulings(_R.NOT_PUBLISHED, _R.NOT_PUBLISHED, _R.DO, _R.DO, _R.CANCELLED),
    Deed.ADVERTISE: _rulings(_R.NOT_PUBLISHED, _R.NOT_PUBLISHED, _R.DO, _R.OVER, _R.CANCELLED),
    Deed.OFFER_OWNERSHIP: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.CANCELLED),
    # So that what is cancelled since its owner left can be brought back.
    Deed.CHANGE_OWNER: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.DO),
    Deed.MODERATE_ROOM: _rulings(_R.DO, _R.DO, _R.DO, _R.DO, _R.DO),
}
"""The life of an event: what each phase says of each deed. What a deed asks beyond that stands with the deed.

Of deleting and bringing back, `decide_deletion` and `restored_status` decide.
"""

COOLING = timedelta(days=30)
"""How long a cancelled event stays for its members to see before it may be deleted."""


class Deletion(StrEnum):
    """Whether an event may be deleted."""

    DO = "DO"
    CANCEL_FIRST = "CANCEL_FIRST"
    OVER = "OVER"
    WAIT = "WAIT"


def decide_deletion(
    where: Phase, cancelled_at: datetime | None, *, had_members: bool, at_once: bool, now: datetime
) -> Deletion:
    """Whether an event may be deleted: one that nobody saw yet, and what nobody ever joined, at once; else some time
    after cancelling.

    had_members: whether anybody but the owner ever had a membership. at_once: who deletes it need not wait.
    """
    if where in (Phase.DRAFT, Phase.SCHEDULED) or not had_members or at_once:
        return Deletion.DO
    if where != Phase.CANCELLED or cancelled_at is None:
        return Deletion.OVER if where == Phase.OVER else Deletion.CANCEL_FIRST
    return Deletion.DO if cancelled_at + COOLING <= now else Deletion.WAIT


def restored_status(status: EventStatus, *, was_cancelled: bool) -> EventStatus | None:
    """What an event is once it is brought back; None when it is not gone.

    What was cancelled, deleted after that or not, is published again; what was deleted before, a draft.
    """
    if status == EventStatus.CANCELLED or (status == EventStatus.DELETED and was_cancelled):
        return EventStatus.PUBLISHED
    return EventStatus.DRAFT if status == EventStatus.DELETED else None


def publication_problems(publish_at: datetime, starts_at: datetime, now: datetime) -> list[Problem]:
    """What is wrong with the moment when an event is to publish itself: it lies ahead, and well before the start."""
    minutes = EARLIEST_START // timedelta(minutes=1)
    checks = (
        (publish_at <= now, "must be ahead"),
        (starts_at < publish_at + EARLIEST_START, f"must be at least {minutes} minutes before startsAt"),
    )
    return [Problem("publishAt", message) for broken, message in checks if broken]


def move_problems(
    where: Phase, before: Draft, after: Draft, now: datetime, *, publish_at: datetime | None = None
) -> list[Problem]:
    """What is wrong with the new times of an event that people rely on: they lie ahead. A draft may be anything yet.

    publish_at: when it publishes itself, before its start.
    """
    if publish_at is not None:
        too_early = after.starts_at != before.starts_at and after.starts_at < publish_at + EARLIEST_START
        return [Problem("startsAt", "must be after publishAt, when the event publishes itself")] if too_early else []
    if where in (Phase.DRAFT, Phase.SCHEDULED):
        return []
    starts_late = after.starts_at != before.starts_at and after.starts_at < now + EARLIEST_START
    ends_late = after.ends_at != before.ends_at and after.ends_at <= now
    minutes = EARLIEST_START // timedelta(minutes=1)
    checks = (
        (starts_late, "startsAt", f"a new start must be at least {minutes} minutes ahead"),
        (ends_late, "endsAt", "a new end must be ahead"),
    )
    return [Problem(field, message) for broken, field, message in checks if broken]

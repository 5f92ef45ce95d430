"""Who gets in: decided in one place for every way in."""

from dataclasses import dataclass
from enum import StrEnum

from muster.events.rules.life import LIFE, Deed, Phase, Ruling
from muster.events.tables import EventMemberStatus, JoinMode


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

"""Decisions of identity: when an account rests, and what becomes of a refresh token."""

from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

FAILURES = 5
"""So many wrong passwords in a row lock an account."""
LOCK = timedelta(minutes=15)
"""For how long. A failure longer ago than this counts no more."""
REPEATED_WITHIN = timedelta(seconds=10)
"""How long a spent refresh token still gives its successor: two tabs refresh at once, answers get lost."""
PROOF_LASTS = timedelta(minutes=10)
"""How long it counts that somebody has shown who they are."""
CHALLENGE_LASTS = timedelta(minutes=5)
"""How long somebody has for the second half of what they began: to ask a passkey, or to find a code."""
BACKUP_CODES = 10
"""So many are given out at once."""
EMAIL_CHANGE_LASTS = timedelta(hours=24)
"""How long both mailboxes have to confirm a change of address."""


class Side(StrEnum):
    """Whose yes a link of a change of address stands for; also what its token is sealed for."""

    OLD = "EMAIL_OLD"
    NEW = "EMAIL_NEW"


class Method(StrEnum):
    """What somebody shows who they are by."""

    PASSWORD = "PASSWORD"  # noqa: S105 - a name
    TOTP = "TOTP"
    PASSKEY = "PASSKEY"
    BACKUP_CODE = "BACKUP_CODE"


def is_locked(failures: int, failed_at: datetime | None, now: datetime) -> bool:
    """Whether nobody signs in with a password just now."""
    return failures >= FAILURES and failed_at is not None and now - failed_at < LOCK


def count_failure(failures: int, failed_at: datetime | None, now: datetime) -> int:
    """The number of failures in a row after one more."""
    recent = failed_at is not None and now - failed_at < LOCK
    return failures + 1 if recent else 1


class Refresh(Enum):
    """What a refresh token leads to: the next one, the same next one again, or the end of the session."""

    ROTATE = auto()
    REPEAT = auto()
    REPLAY = auto()


def decide_refresh(presented: int, generation: int, refreshed_at: datetime, now: datetime) -> Refresh:
    """What becomes of a refresh token whose seal is good.

    presented: its number. generation: the number of the newest. refreshed_at: when that was first given.
    """
    if presented == generation:
        return Refresh.ROTATE
    if presented == generation - 1 and now - refreshed_at <= REPEATED_WITHIN:
        return Refresh.REPEAT
    return Refresh.REPLAY

"""Decisions of identity: when an account rests, and what becomes of a refresh token."""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from ipaddress import ip_address, ip_network
from typing import NamedTuple

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
    PROVIDER = "PROVIDER"


class Device(NamedTuple):
    """What a session tells of where it was opened. agent: what the device said it was. address: of its network."""

    agent: str | None
    address: str | None


def is_known_device(device: Device, before: Iterable[Device]) -> bool:
    """Whether somebody has signed in like this before: with a program of the same name, out of the same network.

    An address alone is shared by a household or a whole provider, and a program by half the world, so both have to fit.
    Versions do not count, since programs update themselves; nor does the last part of an address, which changes by
    itself. before: of the sessions that the account has had.
    """
    return _likeness(device) in {_likeness(each) for each in before}


def _likeness(device: Device) -> tuple[str, str]:
    return _VERSION.sub("", device.agent or ""), _network(device.address)


def _network(address: str | None) -> str:
    """A network as providers give them to a household: 24 bits of an address, or 48 of a long one."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return ""
    return str(ip_network((found, 24 if found.version == 4 else 48), strict=False))


_VERSION = re.compile(r"[0-9][0-9._]*")


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

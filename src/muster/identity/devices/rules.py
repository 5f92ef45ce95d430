"""Decisions about devices: which codes there are, and what a device that asks is told."""

import secrets
from datetime import datetime, timedelta
from enum import Enum, auto

from muster.identity.devices.tables import DeviceState

LASTS = timedelta(minutes=10)
PAUSE = 5
"""Seconds between two questions of a device, and by how many they grow for one that asks too soon (section 3.5)."""
# Section 6.1: no vowels, so that no words come out, and no digits that look like letters. Eight of them are 34 bits.
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_LENGTH = 8


def new_code() -> str:
    """A code for a person to type, such as `BCDF-GHJK`."""
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    return f"{code[:4]}-{code[4:]}"


def plain_code(typed: str) -> str:
    """A code as people type it, without what does not count: small letters, blanks, dashes."""
    return "".join(each for each in typed.upper() if each.isalpha())


class Poll(Enum):
    """What a device that asks is told."""

    WAIT = auto()
    SLOW_DOWN = auto()
    SIGN_IN = auto()
    DENIED = auto()
    EXPIRED = auto()


def decide_poll(
    state: DeviceState, *, polled_at: datetime | None, pause: int, expires_at: datetime, now: datetime
) -> Poll:
    """What a device is told. polled_at, pause: when it asked before, and how many seconds it has to let pass."""
    if state == DeviceState.USED or expires_at <= now:
        return Poll.EXPIRED
    if state == DeviceState.DENIED:
        return Poll.DENIED
    if polled_at is not None and now - polled_at < timedelta(seconds=pause):
        return Poll.SLOW_DOWN
    return Poll.SIGN_IN if state == DeviceState.APPROVED else Poll.WAIT

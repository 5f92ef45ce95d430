"""Codes of second factors: those of an authenticator app (RFC 6238), and backup codes."""

import hmac
import secrets
from datetime import datetime

import pyotp

from muster.identity.rules import BACKUP_CODES

# Without those that look alike (Crockford's base 32): ten of them are 50 random bits.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10
_LOOK_ALIKE = str.maketrans("OIL", "011", "- ")
# A clock may be off by half a minute, and a code may be typed at the end of its time (RFC 6238, 5.2).
_STEPS = (0, -1, 1)


def new_totp_secret() -> str:
    """The secret of an app, in base 32 as apps take it."""
    return pyotp.random_base32()


def totp_uri(secret: str, *, account: str, issuer: str) -> str:
    """The address by which an app takes a secret over."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def totp_step(secret: str, code: str, now: datetime, *, after: int) -> int | None:
    """The 30 seconds that a code is of; None when it is of none near now, or of none that comes after `after`."""
    totp = pyotp.TOTP(secret)
    found = None
    for offset in _STEPS:
        # All are compared, each in constant time: how near a guess came must not show.
        if hmac.compare_digest(totp.at(now, counter_offset=offset).encode(), code.encode()):
            found = totp.timecode(now) + offset
    return found if found is not None and found > after else None


def new_backup_codes() -> list[str]:
    """Fresh backup codes, as they are shown."""
    texts = ("".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(BACKUP_CODES))
    return [f"{text[:5]}-{text[5:]}" for text in texts]


def plain_code(text: str) -> str:
    """A code without what people add when they type it, and with the digits that they took for letters."""
    return text.strip().upper().translate(_LOOK_ALIKE)

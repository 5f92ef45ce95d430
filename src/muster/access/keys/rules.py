"""How a key is written: `mk_live_`, whose it is, its secret and a checksum, so that a typing error costs no look-up."""

import hashlib
import secrets
import string
import zlib
from typing import NamedTuple
from uuid import UUID

from muster.access.roles import KEY_CREATE, KEY_MANAGE, OWNER_ALONE, PERMISSIONS, PLATFORM_ALONE
from muster.kit.caller import ACT, KEY_PREFIX, Permission

_DIGITS = string.digits + string.ascii_letters
_HALF, _CHECK = 43, 6
# 256 bits take 43 digits of 62, 32 bits take 6.

SCOPES: dict[Permission, str] = {
    ACT: "do what needs no permission: take part, write, answer",
    **{
        name: meaning
        for name, meaning in PERMISSIONS.items()
        if name not in {KEY_CREATE, KEY_MANAGE, *OWNER_ALONE, *PLATFORM_ALONE}
    },
}
"""What a key can be made for. None ever makes keys, and none does what an owner or the platform's staff alone may."""


class KeyParts(NamedTuple):
    """What a written key says."""

    tenant_id: UUID
    key_id: UUID
    secret: str


def new_secret() -> str:
    """A secret that nobody guesses."""
    return _written(int.from_bytes(secrets.token_bytes(32)), _HALF)


def written_key(parts: KeyParts) -> str:
    """The key as its holder keeps it."""
    whose = _written(int.from_bytes(parts.tenant_id.bytes + parts.key_id.bytes), _HALF)
    text = f"{KEY_PREFIX}{whose}_{parts.secret}"
    return text + _checksum(text)


def read_key(text: str) -> KeyParts | None:
    """What a key says of itself; None for what was never one of ours."""
    whose, _, rest = text.removeprefix(KEY_PREFIX).partition("_")
    if len(whose) != _HALF or len(rest) != _HALF + _CHECK or not set(whose + rest) <= set(_DIGITS):
        return None
    number = _read(whose)
    if rest[_HALF:] != _checksum(text[:-_CHECK]) or number >= 1 << 256:
        return None
    ids = number.to_bytes(32)
    return KeyParts(UUID(bytes=ids[:16]), UUID(bytes=ids[16:]), rest[:_HALF])


def hash_of(secret: str) -> bytes:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def _checksum(text: str) -> str:
    return _written(zlib.crc32(text.encode()), _CHECK)


def _written(number: int, length: int) -> str:
    found = ""
    while number:
        number, digit = divmod(number, 62)
        found = _DIGITS[digit] + found
    return found.rjust(length, _DIGITS[0])


def _read(text: str) -> int:
    number = 0
    for digit in text:
        number = number * 62 + _DIGITS.index(digit)
    return number

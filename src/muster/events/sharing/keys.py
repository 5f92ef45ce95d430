"""The keys of share links, and who sees an event by one."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta
from sqlalchemy import ColumnElement, and_, func, select

from muster.events.rules import SHOWN
from muster.events.sharing.tables import EventShare
from muster.identity.seals import derived
from muster.kit.db.tables import once_more

ShareKey = Annotated[str, Meta(max_length=100)]
"""What a share link holds, as clients send it."""

_PURPOSE = "event share"


def key_of(secret: str, share_id: UUID) -> str:
    """The key of a share link: 256 bits that nobody makes without the secret."""
    return derived(secret, _PURPOSE, share_id.hex)


def hash_of(key: str) -> str:
    """A key as it is kept. It cannot be guessed, so it needs no salt."""
    return sha256(key.encode()).hexdigest()


def known_key(secrets: Sequence[str], share_id: UUID, key_hash: str) -> str | None:
    """The key of a share link that was made with any of the secrets; None when it was with another, long given up."""
    return next((key for key in (key_of(each, share_id) for each in secrets) if hash_of(key) == key_hash), None)


def opened_by(event: Any, key: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether who has this key sees the event: it is out, and the key is its own.

    Hashes are compared, so how long that takes says nothing of a key that is near.
    """
    share = once_more(EventShare)
    given = func.encode(func.sha256(func.convert_to(key, "UTF8")), "hex")
    own = select(share.id).where(share.event_id == event.id, share.key_hash == given)
    return and_(event.status.in_(SHOWN), own.exists())

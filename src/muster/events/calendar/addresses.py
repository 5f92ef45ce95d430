"""The addresses of feeds. Each says which feed it is, under a seal that only we can make."""

from typing import NamedTuple
from uuid import UUID

from muster.events.calendar.tables import FeedScope
from muster.identity.seals import LONGEST_TOKEN, read_sealed_text, sealed_text
from muster.settings import Settings

_PURPOSE = "calendar"


class FeedKey(NamedTuple):
    """Which feed an address leads to."""

    tenant_id: UUID
    user_id: UUID
    feed_id: UUID
    scope: FeedScope


def address_of(settings: Settings, key: FeedKey) -> str:
    """Where calendar programs read a feed."""
    text = f"{key.tenant_id.hex}.{key.user_id.hex}.{key.feed_id.hex}.{key.scope}"
    return f"{settings.addresses.api}/calendar/{sealed_text(settings.security.jwt_secret, _PURPOSE, text)}.ics"


def read_token(settings: Settings, token: str) -> FeedKey | None:
    """The feed of an address; None when it is not one of ours."""
    text = read_sealed_text(settings.security.secrets, _PURPOSE, token) if len(token) <= LONGEST_TOKEN else None
    if text is None:
        return None
    tenant_id, user_id, feed_id, scope = text.split(".")
    return FeedKey(UUID(tenant_id), UUID(user_id), UUID(feed_id), FeedScope(scope))

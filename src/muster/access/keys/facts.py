"""What happens to API keys."""

from typing import ClassVar
from uuid import UUID

from muster.kit.commands.facts import Fact


class ApiKeyCreated(Fact):
    """Somebody made an API key. user_id: who holds it."""

    kind: ClassVar[str] = "key.created"
    about: ClassVar[str] = "key_id"
    key_id: UUID
    user_id: UUID


class ApiKeyRevoked(Fact):
    """An API key is over."""

    kind: ClassVar[str] = "key.revoked"
    about: ClassVar[str] = "key_id"
    key_id: UUID
    user_id: UUID

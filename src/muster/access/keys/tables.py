"""The table of API keys."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import TenantTable, personal, plain


class ApiKey(TenantTable):
    """A key of a member, good in this community alone. It lives until it expires or `revoked_at` is set.

    hash: of its secret, which is random and long, so that a plain one is enough. hint: how its secret ends. scopes: what
    it may do of what its holder may. networks: where it may be used from; empty is anywhere. last_used_at: to within
    five minutes.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        Index("api_keys_holder_idx", "tenant_id", "user_id", "created_at", "id"),
        Index("api_keys_newest_idx", "tenant_id", "created_at", "id"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    name: Mapped[str] = personal()
    hash: Mapped[bytes] = plain(withheld=True)
    hint: Mapped[str] = plain()
    scopes: Mapped[list[str]] = plain(ARRAY(Text()))
    networks: Mapped[list[str]] = personal(ARRAY(Text()))
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime | None] = plain()
    revoked_at: Mapped[datetime | None] = plain()
    last_used_at: Mapped[datetime | None] = plain()

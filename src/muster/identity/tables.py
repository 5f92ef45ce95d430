"""Tables of identity. All are global: one account per person on a deployment."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, personal, plain


class User(GlobalTable):
    """A person's account. `email` is stored in lower case; `verified_at` is when they showed that it is theirs."""

    __tablename__ = "users"
    reason: ClassVar[str] = "one account per person, many communities"
    person: ClassVar[str | None] = "id"

    name: Mapped[str] = personal()
    email: Mapped[str] = personal(unique=True)
    created_at: Mapped[datetime] = plain()
    verified_at: Mapped[datetime | None] = plain()


class Password(GlobalTable):
    """The hash of a person's password; `id` is the person's. Apart from `users`, so that no read comes near it."""

    __tablename__ = "passwords"
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "id"

    id: Mapped[UUID] = personal(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    hash: Mapped[str] = personal()
    changed_at: Mapped[datetime] = plain()


class Session(GlobalTable):
    """A signed-in device. It lives until it expires or `revoked_at` is set."""

    __tablename__ = "sessions"
    reason: ClassVar[str] = "a person signs in once for all their communities"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"), index=True)
    refresh_hash: Mapped[str] = plain()
    created_at: Mapped[datetime] = plain()
    expires_at: Mapped[datetime] = plain(index=True)
    revoked_at: Mapped[datetime | None] = plain()

"""Table of identities elsewhere. It is global, as accounts are."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import GlobalTable, personal, plain


class ExternalIdentity(GlobalTable):
    """Who a person is to somebody else whose word is taken for it. One of theirs leads to one account.

    issuer, subject: whose word, and whom they mean by it. provider: the issuer's name in the settings.
    email: the verified mail that came along last. used_at: when the person last came in by it.
    """

    __tablename__ = "external_identities"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        Index("external_identities_newest_idx", "user_id", "created_at", "id"),
    )
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"))
    provider: Mapped[str] = plain()
    issuer: Mapped[str] = plain()
    subject: Mapped[str] = personal()
    email: Mapped[str] = personal()
    created_at: Mapped[datetime] = plain()
    used_at: Mapped[datetime] = plain()

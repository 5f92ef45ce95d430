"""The table of mail."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Json, TenantTable, one_of, personal, plain, state


class MailState(StrEnum):
    """How far a mail is.

    WAITING: to be sent. SENT: the mail server took it. KEPT: there is no mail server; /dev/mail shows it.
    DROPPED: there was nothing left to tell when it was its turn. FAILED: refused, or not taken for a day.
    """

    WAITING = "WAITING"
    SENT = "SENT"
    KEPT = "KEPT"
    DROPPED = "DROPPED"
    FAILED = "FAILED"


class MailRow(TenantTable):
    """A mail to one person. At most one per fact, address and kind, however often a handler runs.

    language: of the reader; None for that of the community. attempts: how often it was taken in hand. error: what the
    mail server said last.
    """

    __tablename__ = "mails"
    __table_args__ = (
        UniqueConstraint("tenant_id", "fact_id", "address", "kind"),
        Index("mails_newest_idx", "tenant_id", "created_at", "id"),
        Index("mails_person_idx", "tenant_id", "user_id"),
        one_of("state", MailState),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    fact_id: Mapped[UUID] = plain()
    address: Mapped[str] = personal()
    kind: Mapped[str] = plain()
    data: Mapped[Json] = plain()
    language: Mapped[str | None] = plain()
    state: Mapped[MailState] = state(MailState)
    attempts: Mapped[int] = plain()
    created_at: Mapped[datetime] = plain()
    sent_at: Mapped[datetime | None] = plain()
    error: Mapped[str | None] = personal()

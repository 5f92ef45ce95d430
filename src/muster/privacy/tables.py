"""Tables of privacy. All are global: whoever leaves, leaves every community, and takes along what they have in each."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, GlobalTable, one_of, plain, state


class Departure(GlobalTable):
    """How far a person is on the way out; `id` is theirs. It begins anew each time that they close their account.

    reminded_at: when they were told that the time to come back is nearly over. ended_at: when it was over.
    erasing_at: when the erasure was last begun. erased_at: when nothing of them was left.
    """

    __tablename__ = "departures"
    __table_args__ = (Index("departures_due_idx", "closed_at", postgresql_where="erased_at is null"),)
    reason: ClassVar[str] = "belongs to the account, which is global"
    person: ClassVar[str | None] = "id"
    erasure: ClassVar[Erasure] = Erasure.KEEP

    id: Mapped[UUID] = plain(ForeignKey("users.id"), primary_key=True, sort_order=-1)
    closed_at: Mapped[datetime] = plain()
    reminded_at: Mapped[datetime | None] = plain()
    ended_at: Mapped[datetime | None] = plain()
    erasing_at: Mapped[datetime | None] = plain()
    erased_at: Mapped[datetime | None] = plain()


class ExportStatus(StrEnum):
    """How far an export is: being made, there to be fetched, or removed again."""

    MAKING = "MAKING"
    READY = "READY"
    GONE = "GONE"


class Export(GlobalTable):
    """The newest archive that a person had made of what is theirs; a new one takes its place, under an id of its own.

    progress: in percent. path: of the file.
    """

    __tablename__ = "exports"
    __table_args__ = (
        one_of("status", ExportStatus),
        Index("exports_expiring_idx", "expires_at", postgresql_where="status = 'READY'"),
    )
    reason: ClassVar[str] = "it holds what a person has in all their communities"
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain(ForeignKey("users.id"), unique=True)
    status: Mapped[ExportStatus] = state(ExportStatus)
    progress: Mapped[int] = plain()
    path: Mapped[str] = plain(withheld=True)
    asked_at: Mapped[datetime] = plain()
    ready_at: Mapped[datetime | None] = plain()
    expires_at: Mapped[datetime | None] = plain()

"""Tables of privacy. All are global: whoever leaves, leaves every community, and takes along what they have in each."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, GlobalTable, plain


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

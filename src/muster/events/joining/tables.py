"""Tables of joining: what became of each membership, and what events ask."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.events.rules import MemberDeed
from muster.events.tables import EventMemberRole, EventMemberStatus
from muster.kit.db.tables import Erasure, Json, TenantTable, one_of, personal, plain, state


class EventMemberChange(TenantTable):
    """What was once done with somebody's membership, and what they were from then on. Rows are only ever added.

    user_id: whose membership. actor_id: who did it; null where it followed of itself, as a promotion does.
    note: why, for the organisers.
    """

    __tablename__ = "event_member_changes"
    __table_args__ = (
        one_of("deed", MemberDeed),
        one_of("status", EventMemberStatus),
        one_of("role", EventMemberRole),
        Index("event_member_changes_history_idx", "tenant_id", "event_id", "user_id", "at", "id"),
        ForeignKeyConstraint(
            ["tenant_id", "event_id", "user_id"],
            ["event_members.tenant_id", "event_members.event_id", "event_members.user_id"],
        ),
    )
    person: ClassVar[str | None] = "user_id"
    erasure: ClassVar[Erasure] = Erasure.BLANK

    event_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    deed: Mapped[MemberDeed] = state(MemberDeed)
    status: Mapped[EventMemberStatus] = state(EventMemberStatus)
    role: Mapped[EventMemberRole] = state(EventMemberRole)
    at: Mapped[datetime] = plain()
    actor_id: Mapped[UUID | None] = plain()
    note: Mapped[str | None] = personal(withheld=True)


class EventJoinForm(TenantTable):
    """What an event asks of who wants in. It is read and written as a whole.

    version: counts its changes. questions: a list of `form.Question`.
    """

    __tablename__ = "event_join_forms"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    part_of: ClassVar[str | None] = "events"

    event_id: Mapped[UUID] = plain()
    version: Mapped[int] = plain()
    questions: Mapped[Json] = personal()

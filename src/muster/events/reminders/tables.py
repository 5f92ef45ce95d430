"""Tables of reminders: what people choose, and the rounds in which they have been told."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.events.reminders.rules import FEEDBACK, Lead
from muster.kit.db.tables import TenantTable, plain

_LEADS = ", ".join(f"'{each}'" for each in Lead)


class ReminderChoice(TenantTable):
    """Which reminders a person wants: of every event of the community, or of one.

    event_id: None is every event without a choice of its own. leads: none at all is none. by_mail: besides in the product.
    """

    __tablename__ = "reminder_choices"
    __table_args__ = (
        UniqueConstraint(
            "tenant_id", "user_id", "event_id", name="reminder_choices_one_key", postgresql_nulls_not_distinct=True
        ),
        CheckConstraint(f"leads <@ array[{_LEADS}]", name="leads"),
        Index("reminder_choices_newest_idx", "tenant_id", "user_id", "changed_at", "id"),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )
    person: ClassVar[str | None] = "user_id"

    user_id: Mapped[UUID] = plain()
    event_id: Mapped[UUID | None] = plain()
    leads: Mapped[list[str]] = plain(ARRAY(Text()))
    by_mail: Mapped[bool] = plain()
    changed_at: Mapped[datetime] = plain()


class ReminderRound(TenantTable):
    """A time of an event of which people are told, once: the fact that says so is recorded with this row.

    kind: a lead, or FEEDBACK. at: the start or the end that it is about. An event that moves has new rounds.
    """

    __tablename__ = "reminder_rounds"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "kind", "at"),
        CheckConstraint(f"kind in ({_LEADS}, '{FEEDBACK}')", name="kind"),
        # How it was is asked once, whatever becomes of the end.
        Index(
            "reminder_rounds_feedback_idx", "tenant_id", "event_id", unique=True, postgresql_where="kind = 'FEEDBACK'"
        ),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
    )

    event_id: Mapped[UUID] = plain()
    kind: Mapped[str] = plain()
    at: Mapped[datetime] = plain()
    made_at: Mapped[datetime] = plain()

"""Tables of sponsorship: the book of what an event was credited and spent, and who was told of events near them."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from muster.events.tables import EventPlan
from muster.kit.db.tables import Erasure, TenantTable, one_of, personal, plain, state


class SponsorshipKind(StrEnum):
    """What an entry of the book is: a first plan, a larger one or a package is credited, a boost or a local push spent."""

    NEW = "NEW"
    UPGRADE = "UPGRADE"
    RELOAD = "RELOAD"
    BOOST = "BOOST"
    PUSH = "PUSH"


class SponsorshipEntry(TenantTable):
    """A line of an event's book. Nothing of it changes; what is left is said by the last line.

    number: counts the lines of an event, drawn under the event's lock; unique, so no two lines follow the same one.
    plan: of the event, from this line on. boosts, pushes: how many come, less than none where they go.
    source_key: what a credit is for, such as a payment; unique, so it is credited once. by_id: who did it; None for what
    a payment did.
    """

    __tablename__ = "event_sponsorships"
    __table_args__ = (
        one_of("kind", SponsorshipKind),
        one_of("plan", EventPlan),
        CheckConstraint("boosts_left >= 0 and pushes_left >= 0", name="left"),
        CheckConstraint("(kind in ('BOOST', 'PUSH')) = (source_key is null)", name="source"),
        UniqueConstraint("tenant_id", "event_id", "number"),
        UniqueConstraint("tenant_id", "source_key"),
        Index("event_sponsorships_by_idx", "tenant_id", "by_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "by_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "by_id"
    erasure: ClassVar[Erasure] = Erasure.KEEP

    event_id: Mapped[UUID] = plain()
    number: Mapped[int] = plain()
    kind: Mapped[SponsorshipKind] = state(SponsorshipKind)
    plan: Mapped[EventPlan] = state(EventPlan)
    boosts: Mapped[int] = plain()
    pushes: Mapped[int] = plain()
    boosts_left: Mapped[int] = plain()
    pushes_left: Mapped[int] = plain()
    source_key: Mapped[str | None] = plain()
    by_id: Mapped[UUID | None] = plain()
    created_at: Mapped[datetime] = plain()


class PushHearer(TenantTable):
    """When a local push last reached a person; `id` is the person's."""

    __tablename__ = "event_push_hearers"
    __table_args__ = (ForeignKeyConstraint(["tenant_id", "id"], ["members.tenant_id", "members.user_id"]),)
    person: ClassVar[str | None] = "id"

    heard_at: Mapped[datetime] = personal()

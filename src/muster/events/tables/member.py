"""Who takes part in an event."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from muster.kit.db.tables import Erasure, Json, TenantTable, one_of, personal, plain, state

MOST_GUESTS = 5
"""How many guests come under one name."""


class EventMemberRole(StrEnum):
    """What a member is to the event. Counts only while they are seated."""

    OWNER = "OWNER"
    MODERATOR = "MODERATOR"
    PARTICIPANT = "PARTICIPANT"


class EventMemberStatus(StrEnum):
    """Where a membership is in its life; `rules.MEMBERSHIPS` says what leads where.

    PENDING: they asked, and nobody has answered. CANCELLED: they took their request back, or declined an invitation.
    """

    JOINED = "JOINED"
    PENDING = "PENDING"
    INVITED = "INVITED"
    REJECTED = "REJECTED"
    BANNED = "BANNED"
    LEFT = "LEFT"
    KICKED = "KICKED"
    CANCELLED = "CANCELLED"
    WAITLIST = "WAITLIST"


class Attendance(StrEnum):
    """Whether somebody with a place came."""

    PRESENT = "PRESENT"
    NO_SHOW = "NO_SHOW"


class ArrivalWay(StrEnum):
    """How it is known that somebody came: their ticket was scanned, an organiser said so, or they did themselves."""

    SCAN = "SCAN"
    ORGANISER = "ORGANISER"
    ONESELF = "ONESELF"


class EventMember(TenantTable):
    """A person's membership of an event, one row for all of its life.

    queue_number: while waiting, the place in the queue, taken under the event's lock. asked_number: the number that they
    drew when they asked to be let in; it becomes their place in the queue when they are let in and no place is free.
    answers: to the event's questions, each with the question as it was asked. reject_reason: what they were told. note: the
    organisers' own. attendance: None while nobody knows. scans: how often their ticket was scanned. party_size: heads under
    this name, the person and their guests. guest_names: a line for each guest, empty for who has no name; null without any.
    offer_expires_at: of who waits and is offered a place, which is held until then.
    """

    __tablename__ = "event_members"
    __table_args__ = (
        UniqueConstraint("tenant_id", "event_id", "user_id"),
        one_of("role", EventMemberRole),
        one_of("status", EventMemberStatus),
        # An event has one owner, whoever hands it over at the same time.
        Index("event_members_owner_idx", "tenant_id", "event_id", unique=True, postgresql_where="role = 'OWNER'"),
        one_of("attendance", Attendance),
        one_of("arrived_by", ArrivalWay),
        CheckConstraint("(coalesce(attendance, '') = 'PRESENT') = (arrived_at is not null)", name="arrived"),
        CheckConstraint("(status = 'WAITLIST') = (queue_number is not null)", name="queue"),
        CheckConstraint("status <> 'PENDING' or asked_number is not null", name="asked"),
        CheckConstraint(f"party_size between 1 and {1 + MOST_GUESTS}", name="party_size"),
        CheckConstraint("offer_expires_at is null or status = 'WAITLIST'", name="offer"),
        Index(
            "event_members_queue_idx",
            "tenant_id",
            "event_id",
            "queue_number",
            unique=True,
            postgresql_where="queue_number is not null",
        ),
        Index(
            "event_members_parties_idx",
            "tenant_id",
            "event_id",
            "party_size",
            "queue_number",
            postgresql_where="queue_number is not null and offer_expires_at is null",
        ),
        Index(
            "event_members_offers_idx",
            "offer_expires_at",
            postgresql_where="offer_expires_at is not null",
        ),
        Index("event_members_asked_idx", "tenant_id", "event_id", "asked_at", "id"),
        Index("event_members_status_idx", "tenant_id", "event_id", "status", "asked_at", "id"),
        Index(
            "event_members_attendance_idx",
            "tenant_id",
            "event_id",
            "attendance",
            "asked_at",
            "id",
            postgresql_where="attendance is not null",
        ),
        Index("event_members_person_idx", "tenant_id", "user_id", "status", "event_id"),
        ForeignKeyConstraint(["tenant_id", "event_id"], ["events.tenant_id", "events.id"]),
        ForeignKeyConstraint(["tenant_id", "user_id"], ["members.tenant_id", "members.user_id"]),
    )
    person: ClassVar[str | None] = "user_id"
    erasure: ClassVar[Erasure] = Erasure.BLANK

    event_id: Mapped[UUID] = plain()
    user_id: Mapped[UUID] = plain()
    role: Mapped[EventMemberRole] = state(EventMemberRole)
    status: Mapped[EventMemberStatus] = state(EventMemberStatus)
    asked_at: Mapped[datetime] = plain()
    joined_at: Mapped[datetime | None] = plain()
    queue_number: Mapped[int | None] = plain()
    asked_number: Mapped[int | None] = plain()
    answers: Mapped[Json | None] = personal()
    reject_reason: Mapped[str | None] = personal()
    note: Mapped[str | None] = personal(withheld=True)
    attendance: Mapped[Attendance | None] = state(Attendance)
    arrived_at: Mapped[datetime | None] = plain()
    arrived_by: Mapped[ArrivalWay | None] = state(ArrivalWay)
    scans: Mapped[int] = plain(server_default=text("0"))
    party_size: Mapped[int] = plain(server_default=text("1"))
    guest_names: Mapped[str | None] = personal()
    offer_expires_at: Mapped[datetime | None] = plain()
